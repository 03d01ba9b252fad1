"""The only module that talks to the upstream: who pays, deadline, retries, one call."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, BinaryIO

import httpx2
import openai
import tenacity

from gpt_image import errors, response, upstream_errors
from gpt_image.answer_stream import AnswerStream
from gpt_image.inputs import InputImage
from gpt_image.request import ImageRequest
from gpt_image.settings import Settings, well_formed_key
from gpt_image.threads import in_thread
from gpt_image.transport import AiohttpTransport

log = logging.getLogger(__name__)

# Enough to outlive a restart of the upstream, some 15 s; rate limits may use the whole deadline.
_ATTEMPTS_WHEN_DOWN = 5
_BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=20)
_JITTER = tenacity.wait_random(0, 0.5)

_OPERATORS_TROUBLE = (errors.CredentialError, errors.QuotaExceeded)

# Sent where the SDK insists on a key and the upstream wants none, or the caller's is on the call.
_NO_KEY = "none"


@dataclass(frozen=True)
class Payer:
    """Whose key a call goes out with, at which upstream."""

    credential: str
    """What the holder calls the key, for errors: an input's or a variable's name."""
    client: openai.AsyncOpenAI
    key: str = field(repr=False)
    is_caller: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


class Upstream:
    """The OpenAI Images API, or what the operator put in its place."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trouble: str | None = None
        http_client = httpx2.AsyncClient(
            transport=AiohttpTransport(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # A redirect would carry a paid request to a place that the operator did not name.
            follow_redirects=False,
        )

        def client(
            base_url: str, organization: str | None = None, project: str | None = None
        ) -> openai.AsyncOpenAI:
            return openai.AsyncOpenAI(
                api_key=_NO_KEY,
                base_url=base_url,
                max_retries=0,
                timeout=httpx2.Timeout(
                    settings.openai_deadline_seconds,
                    connect=settings.openai_connect_timeout_seconds,
                ),
                http_client=http_client,
                organization=organization,
                project=project,
            )

        # One client a row, because copies of a client read the environment again.
        self._callers = client(settings.openai_base_url)
        self._without_key: Payer | None = None
        if settings.openai_proxy_url:
            key = settings.openai_proxy_key
            self._without_key = Payer(
                "OPENAI_PROXY_KEY",
                client(settings.openai_proxy_url),
                key.get_secret_value() if key else _NO_KEY,
            )
        elif settings.openai_api_key:
            self._without_key = Payer(
                "OPENAI_API_KEY",
                client(
                    settings.openai_base_url, settings.openai_org_id, settings.openai_project_id
                ),
                settings.openai_api_key.get_secret_value(),
            )

    def payer(self, caller_key: str | None) -> Payer:
        """Who pays for this prediction.

        Raises:
            InvalidInput: the caller's key cannot be one.
            NoCredentials: there is none, and the operator pays for nobody.
        """
        try:
            key = well_formed_key(caller_key or "")
        except ValueError as problem:
            raise errors.InvalidInput(f"openai_api_key is malformed: {problem}.") from None
        if key:
            return Payer("openai_api_key", self._callers, key, is_caller=True)
        if self._without_key:
            return self._without_key
        raise errors.NoCredentials(
            "Nobody pays for this prediction: pass your OpenAI key as openai_api_key, or have the "
            "operator set OPENAI_PROXY_URL or OPENAI_API_KEY."
        )

    async def create(
        self, payer: Payer, request: ImageRequest, images: Sequence[InputImage], directory: Path
    ) -> response.Answer:
        """The images for `request`, at least one; the large ones received into `directory`.

        Raises:
            GptImageError: one of upstream_errors.py or response.py, after all allowed retries.
        """
        call = _Call(payer, request, images, directory, self._settings)
        try:
            answer = await call.answer()
        except errors.GptImageError as error:
            if not payer.is_caller and isinstance(error, _OPERATORS_TROUBLE):
                self._trouble = f"{type(error).__name__}: {error}"
            raise
        if not payer.is_caller:
            self._trouble = None
        return answer

    def check_health(self) -> None:
        """Answer at once from what is known; no call is made.

        Raises:
            CredentialError: the operator's own credential failed when it was last used.
        """
        if self._trouble:
            raise errors.CredentialError(self._trouble)


@dataclass
class _Call:
    """One request to the upstream, repeated only where it cannot have been billed."""

    payer: Payer
    request: ImageRequest
    images: Sequence[InputImage]
    directory: Path
    settings: Settings
    left_out: set[str] = field(default_factory=set)
    _deadline: float = field(default=0.0, init=False)
    """On the event loop's clock."""

    async def answer(self) -> response.Answer:
        deadline = self.settings.openai_deadline_seconds
        out_of_time = tenacity.stop_before_delay(deadline)
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(self._may_repeat),
            stop=lambda state: _is_down_for_long(state) or out_of_time(state),
            wait=_pause,
            before_sleep=_log_pause,
            reraise=True,
        )
        self._deadline = asyncio.get_running_loop().time() + deadline
        return await attempts(self._attempt)

    async def _attempt(self) -> response.Answer:
        while True:
            try:
                return await self._send()
            except errors.RequestRejected as error:
                # Gateways that know an older API; a refused request was not billed.
                extra = error.unknown_parameter
                if extra not in {"safety_identifier", "moderation"} or extra in self.left_out:
                    raise
                self.left_out.add(extra)
                log.warning("The upstream does not know %s; asking again without it.", extra)

    async def _send(self) -> response.Answer:
        stream = AnswerStream(self.directory)
        content_type = ""
        try:
            async with asyncio.timeout_at(self._deadline), self._response() as answer:
                content_type = answer.headers.get("content-type", "")
                await stream.read(answer.iter_bytes())
        except TimeoutError:
            if not any(stream.files):
                raise upstream_errors.timed_out() from None
            log.warning("The upstream's answer did not end before the deadline.")
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            if not any(stream.files):
                raise self._explained(error) from None
            log.warning("The upstream's answer broke off.")
        except OSError as error:
            if not any(stream.files):
                raise errors.OutputNotSaved(
                    f"The images could not be written ({error.strerror}); {errors.BILLED_NOTE}; "
                    "have the operator check OUTPUT_DIRECTORY."
                ) from None
            log.warning("The upstream's answer could not all be stored (%s).", error.strerror)
        return response.understand(
            stream, asked=self.request.n, content_type=content_type, private=self._private
        )

    @asynccontextmanager
    async def _response(self) -> AsyncIterator[openai.AsyncAPIResponse[Any]]:
        body = self.request.body(self.settings.openai_image_model)
        for name in self.left_out:
            body.pop(name, None)
        api = self.payer.client.images.with_streaming_response
        # Most of it as extra_body, because named arguments take the SDK 0.3 ms to look through.
        arguments: dict[str, Any] = {
            "prompt": body.pop("prompt"),
            "extra_body": body,
            "extra_headers": self.payer.headers,
        }
        if not self.request.is_edit:
            async with api.generate(**arguments) as answer:
                yield answer
            return
        with ExitStack() as opened:
            # Open files because the SDK streams them, while it would copy bytes. Always a list,
            # named and typed: the API refuses the types that the SDK guesses for bare bytes.
            files = [
                (image.name, opened.enter_context(open_file), image.content_type)
                for image, open_file in await in_thread(_open_all, self.images)
            ]
            async with api.edit(image=files, **arguments) as answer:
                yield answer

    def _explained(self, error: Exception) -> errors.GptImageError:
        return upstream_errors.explain(
            error,
            credential=self.payer.credential,
            model=self.settings.openai_image_model,
            private=self._private,
        )

    @property
    def _private(self) -> Mapping[str, str]:
        texts = {self.payer.key: "[key]", self.request.prompt: "[prompt]"}
        # Very short ones are words that a message may need, such as our own "none".
        return {text: name for text, name in texts.items() if len(text) > 8}

    def _may_repeat(self, error: BaseException) -> bool:
        if not isinstance(error, errors.GptImageError):
            return False
        return error.safe_to_repeat or (error.ambiguous and self.settings.openai_retry_ambiguous)


def _open_all(images: Sequence[InputImage]) -> list[tuple[InputImage, BinaryIO]]:
    return [(image, image.path.open("rb")) for image in images]


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _is_down_for_long(state: tenacity.RetryCallState) -> bool:
    is_rate_limit = isinstance(_failure(state), errors.RateLimited)
    return not is_rate_limit and state.attempt_number >= _ATTEMPTS_WHEN_DOWN


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the upstream asked for, but no less than our own pause.

    With jitter, so that predictions that failed together do not return together.
    """
    asked = getattr(_failure(state), "retry_after", None) or 0.0
    return max(asked, _BACKOFF(state)) + _JITTER(state)


def _log_pause(state: tenacity.RetryCallState) -> None:
    seconds = state.next_action.sleep if state.next_action else 0
    failure = _failure(state)
    log.warning(
        "The upstream %s (%s); trying again in %.1f s (attempt %d).",
        "has a rate limit" if isinstance(failure, errors.RateLimited) else "failed",
        "may have billed" if getattr(failure, "ambiguous", True) else "has not billed",
        seconds,
        state.attempt_number + 1,
    )
