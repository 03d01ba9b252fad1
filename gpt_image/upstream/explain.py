"""From the openai SDK's exceptions to the error tree: what an upstream's failure means."""

import math
import re
from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from gpt_image.errors import (
    BILLED_NOTE,
    AnswerNotUsable,
    ConnectionLost,
    GptImageError,
    KeyRejected,
    ModerationBlocked,
    NoModelAccess,
    OrganizationNotVerified,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    UnsupportedByModel,
    UpstreamDown,
    UpstreamTimedOut,
)
from gpt_image.upstream import retry_after

VERIFY_URL = "https://platform.openai.com/settings/organization/general"
BILLING_URL = "https://platform.openai.com/settings/organization/billing"

# The types of OpenAI's own 500 and 503. LiteLLM 1.106.2 writes "internal_server_error" with a 500
# also where the connection broke or the answer was a page, with the images made and billed.
_OPENAIS_FAILURES = {"server_error", "image_generation_server_error"}

# Longer texts are a page or a stack trace, which no caller reads.
_MESSAGE_LIMIT = 300


def explain(
    error: Exception, *, credential: str, model: str, private: Mapping[str, str]
) -> GptImageError:
    """The member of the tree for an exception of the openai SDK or of its HTTP client.

    Args:
        error: what the SDK or httpx2 raised.
        credential: what the operator or caller calls the key in use, as in "openai_api_key".
        model: the model's name as sent upstream.
        private: texts that must not be repeated, each with what to write in its place.
    """
    if isinstance(error, openai.APIStatusError):
        return _Refusal(error, credential, model, private).explained()
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        return _explain_transport(error)
    if isinstance(error, openai.APIError | openai.OpenAIError | httpx2.HTTPError):
        return AnswerNotUsable(
            f"The upstream's answer could not be read ({type(error).__name__}); {BILLED_NOTE}; "
            "try again if you accept that."
        )
    raise TypeError(f"{type(error).__name__} does not come from the upstream call")


def _explain_transport(error: Exception) -> GptImageError:
    # A connect timeout is an APITimeoutError as well: only the cause tells whether bytes were sent.
    cause = error if isinstance(error, httpx2.TransportError) else error.__cause__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        return UpstreamDown(
            "The upstream could not be reached (no connection was made, nothing was billed); "
            "check OPENAI_BASE_URL or OPENAI_PROXY_URL and the network, or try again later."
        )
    if isinstance(cause, httpx2.PoolTimeout):
        return UpstreamDown(
            "All connections to the upstream were busy (nothing was sent or billed); "
            "try again later."
        )
    if isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return UpstreamDown(
            "The request could not be sent (nothing was billed); check OPENAI_BASE_URL or "
            "OPENAI_PROXY_URL."
        )
    if isinstance(cause, httpx2.TimeoutException) or isinstance(error, openai.APITimeoutError):
        return timed_out()
    return ConnectionLost(
        "The connection to the upstream broke while it worked on the request; "
        f"{BILLED_NOTE}; try again if you accept that."
    )


def timed_out() -> UpstreamTimedOut:
    return UpstreamTimedOut(
        f"The upstream did not answer before the deadline; {BILLED_NOTE}; try a lower quality or "
        "a smaller size, or have the operator raise OPENAI_DEADLINE_SECONDS."
    )


class _Refusal:
    """An HTTP answer that is no success, told apart by code, then type, then status.

    In that order because gateways rewrite `type`, and OpenAI itself varies it, while `code` was
    the same in every report of the error table (OpenAI Images API facts, 2026-11-21).
    """

    def __init__(
        self,
        error: openai.APIStatusError,
        credential: str,
        model: str,
        private: Mapping[str, str],
    ) -> None:
        body: dict[str, Any] = error.body if isinstance(error.body, dict) else {}
        self.status = error.status_code
        self.code = str(body.get("code") or "")
        self.type = str(body.get("type") or "")
        self.param = str(body.get("param") or "")
        self.raw_message = str(body.get("message") or "")
        self.message = clean(self.raw_message, private).rstrip(".")
        self.details = body.get("moderation_details")
        self.headers = error.response.headers
        self.credential = credential
        self.model = model
        known = {"code": self.code or self.type, "request id": error.request_id or ""}
        parts = [f"{name}: {clean(value, private, 100)}" for name, value in known.items() if value]
        self.suffix = f" ({', '.join([f'HTTP {self.status}', *parts])})"

    def explained(self) -> GptImageError:
        text = self.raw_message.lower()
        if (
            self.code in {"insufficient_quota", "billing_hard_limit_reached"}
            or self.type in {"insufficient_quota", "billing_limit_user_error"}
            or "exceeded your current quota" in text
        ):
            return self._quota()
        if (
            self.code in {"moderation_blocked", "content_policy_violation"}
            or "rejected by the safety system" in text
        ):
            return self._moderation()
        if "must be verified" in text:
            return OrganizationNotVerified(
                "OpenAI wants the organization verified before it may use this model; verify it at "
                f"{VERIFY_URL} and wait up to 15 minutes{self.suffix}."
            )
        if self.code == "invalid_api_key" or self.status == 401:
            return KeyRejected(
                f"The upstream rejected the API key in {self.credential}; "
                f"check that it is complete, active and meant for this upstream{self.suffix}."
            )
        if self.code == "model_not_found" or self.param == "model" or self.status == 403:
            return NoModelAccess(
                f"The account behind {self.credential} may not use the model {self.model}; allow "
                f"it in the project's settings, or check OPENAI_IMAGE_MODEL{self.suffix}."
            )
        if self.code == "rate_limit_exceeded" or self.status == 429:
            return self._rate_limit()
        if self.status == 402:
            return self._quota()
        if self.param == "background" or "transparent background" in text:
            return UnsupportedByModel(
                "The upstream does not support this background for this model; "
                f"use background 'auto' or 'opaque'{self.suffix}."
            )
        if self.status == 408:
            return timed_out()
        if self.status == 413:
            return RequestRejected(
                "The upstream refused the request as too large; "
                f"send fewer or smaller images{self.suffix}."
            )
        if self.status >= 500:
            return self._server_error()
        if self.status < 400 or (self.status in {404, 405} and not self.code):
            return RequestRejected(
                "The upstream has no Images API at this address; check OPENAI_BASE_URL or "
                f"OPENAI_PROXY_URL, which usually ends in /v1{self.suffix}."
            )
        return self._rejected()

    def _quota(self) -> GptImageError:
        return QuotaExceeded(
            f"The account behind {self.credential} is out of credit or at its billing limit; add "
            f"credit or raise the limit at {BILLING_URL}{self.suffix}."
        )

    def _moderation(self) -> GptImageError:
        details = self.details if isinstance(self.details, dict) else {}
        stage = str(details.get("moderation_stage") or "")
        named = details.get("categories")
        categories = [str(name) for name in named] if isinstance(named, list) else []
        if not categories and (found := re.search(r"safety_violations=\[([^]]*)\]", self.message)):
            categories = [found[1]]
        which = f" for {clean(', '.join(categories), {}, 100)}" if categories else ""
        where = f" at the {clean(stage, {}, 20)} stage" if stage else ""
        return ModerationBlocked(
            f"OpenAI's safety system blocked the request{where}{which}; "
            f"change the prompt or the input images{self.suffix}."
        )

    def _rate_limit(self) -> GptImageError:
        wait = retry_after.seconds(self.headers, self.raw_message)
        when = f"in {math.ceil(wait)} seconds" if wait is not None else "later"
        said = re.sub(r"\s*Please try again in .*", "", self.message, flags=re.IGNORECASE).rstrip(
            "."
        )
        limit = f": {said}" if said else ""
        return RateLimited(
            f"The account behind {self.credential} hit a rate limit{limit}; try again {when}, "
            f"or send fewer requests at once{self.suffix}.",
            wait,
        )

    def _server_error(self) -> GptImageError:
        # 500 and 503 in OpenAI's own words are said before the work; whatever a gateway says
        # (502, 504, 520 to 524, a page) leaves open what the upstream behind it has done.
        if self.status in {500, 503} and self.type in _OPENAIS_FAILURES:
            return UpstreamDown(
                f"The upstream failed to process the request; try again later{self.suffix}.",
                retry_after.seconds(self.headers, ""),
            )
        return ConnectionLost(
            f"A gateway in front of the upstream gave up on the request; {BILLED_NOTE}; "
            f"try again if you accept that{self.suffix}."
        )

    def _rejected(self) -> GptImageError:
        about = f" because of {clean(self.param, {}, 60)!r}" if self.param else ""
        said = f": {self.message}" if self.message else ""
        return RequestRejected(
            f"The upstream rejected the request{about}{said}; "
            f"change the request and try again{self.suffix}.",
            self._unknown_parameter(),
        )

    def _unknown_parameter(self) -> str | None:
        found = re.search(r"unknown parameter: '(\w+)'", self.raw_message, re.IGNORECASE)
        if found:
            return found[1]
        return self.param if self.code == "unknown_parameter" else None


def clean(text: str, private: Mapping[str, str], limit: int = _MESSAGE_LIMIT) -> str:
    """An upstream's text made fit to show: one line, bounded, no key, login, account or prompt.

    "cancelled" is respelled because Cog reports any error that contains the word as canceled
    (measured on Cog 0.23.1).
    """
    for secret, name in private.items():
        text = text.replace(secret, name) if secret else text
    text = re.sub(r"\b(sk|r8|sess|Bearer|Basic)[-_ ]+[\w.*+/=-]+", "[key]", text)
    text = re.sub(r"\b(org-|proj_)\w+", r"\1...", text)
    text = re.sub(r"(?<=://)[^/\s@]+@", "", text)
    text = re.sub(r"(cancel)l(ed)", r"\1\2", text, flags=re.IGNORECASE)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
