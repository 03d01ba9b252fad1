"""An HTTP answer that is no success, told apart by code, then type, then status.

In that order because gateways rewrite `type`, and OpenAI itself varies it, while `code` was the
same in every report of the error table (OpenAI Images API facts, 2026-11-21). Words are read only
behind the door: otherwise a prompt that is echoed could choose the error.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Self

import openai

from gpt_image import errors
from gpt_image.errors import BILLED_NOTE, GptImageError
from gpt_image.upstream import retry_after
from gpt_image.upstream.asked import Asked
from gpt_image.upstream.door import MESSAGE_LIMIT
from gpt_image.upstream.rate_limits import LIMITS_URL, never_passes

VERIFY_URL = "https://platform.openai.com/settings/organization/general"
BILLING_URL = "https://platform.openai.com/settings/organization/billing"

# Waiting lifts none of these (help.openai.com articles 5955604 and 6614457, 2026-11): decided by
# the code, under any type. What to do, by the code; without one of these codes it is the billing.
_SPENT = {
    "organization_spend_limit_exceeded": f"raise the organization's spend limit at {LIMITS_URL}",
    "project_spend_limit_exceeded": "raise the spend limit in the project's settings",
    "organization_usage_limit_exceeded": f"request a higher usage limit at {LIMITS_URL}",
}
_QUOTA_CODES = {
    *_SPENT,
    "credit_balance_exhausted",
    "insufficient_quota",
    "billing_hard_limit_reached",
}

# The types of OpenAI's own 500 and 503. LiteLLM 1.106.2 writes "internal_server_error" with a 500
# also where the connection broke or the answer was a page, with the images made and billed.
_OPENAIS_FAILURES = {
    "server_error",
    "image_generation_server_error",
    "service_unavailable_error",  # code server_is_overloaded (error-codes guide)
}


class Refusal:
    """One such answer."""

    def __init__(
        self, status: int, headers: Mapping[str, str], body: Mapping[str, Any], asked: Asked
    ) -> None:
        """`body` is what stands under `error` in the answer."""
        door = asked.door
        self.asked = asked
        self.status = status
        self.headers = headers
        self.details = body.get("moderation_details")
        # As the upstream wrote them, to be compared and never to be shown.
        self.raw_code, self.raw_type, self.raw_param = (
            str(value) if isinstance(value := body.get(name), str | int) else ""
            for name in ("code", "type", "param")
        )
        self.whole_message = door.message(body.get("message"), limit=10 * MESSAGE_LIMIT)
        self.message = door.message(body.get("message")).rstrip(".")
        self.code = door.name(self.raw_code or self.raw_type)
        self.param = door.name(self.raw_param)
        self.request_id = door.request_id(headers.get("x-request-id"))
        known = {"code": self.code, "request id": self.request_id}
        parts = [f"{name}: {value}" for name, value in known.items() if value]
        self.suffix = f" ({', '.join([f'HTTP {self.status}', *parts])})"

    @classmethod
    def of(cls, error: openai.APIStatusError, asked: Asked) -> Self:
        body = error.body if isinstance(error.body, dict) else {}
        return cls(error.status_code, error.response.headers, body, asked)

    def explained(self) -> GptImageError:
        return self._with_evidence(self._told_apart())

    def explained_in_stream(self) -> GptImageError | None:
        """What an error event in a stream means; None where the work may have been done.

        Whatever is no refusal by its code or words may have been billed: the request was taken.
        """
        error = self._of_the_account() or self._of_the_rate() or self._of_the_content()
        return self._with_evidence(error) if error else None

    def _with_evidence(self, error: GptImageError) -> GptImageError:
        error.status = self.status
        error.code = self.code or None
        error.param = self.param or None
        error.request_id = self.request_id or None
        return error

    def _told_apart(self) -> GptImageError:
        return (
            self._of_the_account()
            or self._of_the_rate()
            or self._of_the_content()
            or self._of_the_request()
            or self._of_a_server()
            or self._rejected()
        )

    @property
    def _text(self) -> str:
        return self.whole_message.lower()

    def _of_the_account(self) -> GptImageError | None:
        if (
            self.raw_code in _QUOTA_CODES
            or self.raw_type in {"insufficient_quota", "billing_limit_user_error"}
            or "exceeded your current quota" in self._text
            or self.status == 402
        ):
            return self._quota()
        if "must be verified" in self._text:
            return errors.OrganizationNotVerified(
                "OpenAI wants the organization verified before it may use this model; verify it at "
                f"{VERIFY_URL} and wait up to 15 minutes{self.suffix}."
            )
        if self.raw_code == "invalid_api_key" or self.status == 401:
            return errors.KeyRejected(
                f"The upstream rejected the API key in {self.asked.credential}; check that it is "
                f"complete, active and meant for this upstream{self.suffix}."
            )
        if (
            self.raw_code in {"model_not_found", "insufficient_permissions"}
            or self.raw_type == "insufficient_permissions"
            or self.raw_param == "model"
            or "does not have access to model" in self._text
        ):
            return errors.NoModelAccess(
                f"The account behind {self.asked.credential} may not use the model "
                f"{self.asked.model}; allow it in the project's settings, or check "
                f"{self.asked.request.model_from}{self.suffix}."
            )
        return None

    def _quota(self) -> GptImageError:
        mend = _SPENT.get(self.raw_code, f"add credit or raise the limit at {BILLING_URL}")
        return errors.QuotaExceeded(
            f"The account behind {self.asked.credential} is out of credit or at its limit; "
            f"{mend}{self.suffix}."
        )

    def _of_the_rate(self) -> GptImageError | None:
        if self.raw_code != "rate_limit_exceeded" and self.status != 429:
            return None
        if final := never_passes(self.whole_message, self.asked, self.suffix):
            return final
        wait = retry_after.seconds(self.headers, self.whole_message)
        when = f"in {math.ceil(wait)} seconds" if wait is not None else "later"
        said = re.sub(r"\s*Please try again in .*", "", self.message, flags=re.IGNORECASE)
        limit_said = f": {said.rstrip('.')}" if said else ""
        return errors.RateLimited(
            f"The account behind {self.asked.credential} hit a rate limit{limit_said}; "
            f"try again {when}, or send fewer requests at once{self.suffix}.",
            wait,
        )

    def _of_the_content(self) -> GptImageError | None:
        if (
            self.raw_code in {"moderation_blocked", "content_policy_violation"}
            or "rejected by the safety system" in self._text
        ):
            return self._moderation()
        if self.raw_param == "background" or "transparent background" in self._text:
            return errors.UnsupportedByModel(
                f"The upstream does not support background '{self.asked.request.background}' for "
                f"{self.asked.model}; set background to 'auto' or 'opaque'{self.suffix}."
            )
        return None

    def _of_the_request(self) -> GptImageError | None:
        if self.status == 403:
            # Not the credential's fault for all one knows: firewalls answer so to single prompts.
            said = f": {self.message}" if self.message else ""
            return errors.RequestRejected(
                f"The upstream or a firewall before it forbids this request{said}; change the "
                f"prompt or the images, or ask the operator{self.suffix}."
            )
        if self.status == 413:
            return errors.RequestRejected(
                "The upstream refused the request as too large; "
                f"send fewer or smaller images{self.suffix}."
            )
        if self.status < 400 or (self.status in {404, 405} and not self.raw_code):
            return errors.RequestRejected(
                "The upstream has no Images API at this address; check OPENAI_BASE_URL or "
                f"OPENAI_PROXY_URL, which usually ends in /v1{self.suffix}."
            )
        return None

    def _moderation(self) -> GptImageError:
        door = self.asked.door
        details = self.details if isinstance(self.details, dict) else {}
        stage = door.category(details.get("moderation_stage"))
        named = details.get("categories")
        if not isinstance(named, list):
            found = re.search(r"safety_violations=\[([^]]*)\]", self.whole_message)
            named = found[1].split(",") if found else []
        shown = [door.category(name.strip()) for name in named[:20] if isinstance(name, str)]
        categories = ", ".join(filter(None, shown))
        which = f" for {categories}" if categories else ""
        where = f" at the {stage} stage" if stage else ""
        return errors.ModerationBlocked(
            f"OpenAI's safety system blocked the request{where}{which}; "
            f"change the prompt or the input images{self.suffix}."
        )

    def _of_a_server(self) -> GptImageError | None:
        if self.status == 408:
            return errors.UpstreamTimedOut(
                f"The upstream gave up on the request because it took too long; {BILLED_NOTE}"
                f"{self.suffix}."
            )
        if self.status < 500:
            return None
        # 500 and 503 in OpenAI's own words are said before the work; whatever a gateway says
        # (502, 504, 520 to 524, a page) leaves open what the upstream behind it has done.
        if self.status in {500, 503} and self.raw_type in _OPENAIS_FAILURES:
            return errors.UpstreamDown(
                f"The upstream could not process the request; try again later{self.suffix}.",
                retry_after.seconds(self.headers, ""),
            )
        return errors.ConnectionLost(
            f"A gateway in front of the upstream gave up on the request; {BILLED_NOTE}"
            f"{self.suffix}."
        )

    def _rejected(self) -> GptImageError:
        about = f" because of '{self.param}'" if self.param else ""
        said = f": {self.message}" if self.message else ""
        return errors.RequestRejected(
            f"The upstream rejected the request{about}{said}; "
            f"change the request and try again{self.suffix}.",
            self._unknown_parameter(),
        )

    def _unknown_parameter(self) -> str | None:
        found = re.search(r"unknown parameter: '(\w+)'", self.whole_message, re.IGNORECASE)
        if found:
            return found[1]
        return self.raw_param if self.raw_code == "unknown_parameter" else None
