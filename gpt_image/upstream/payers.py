"""Whose key pays for a prediction, with a ready client of the openai SDK for each case."""

from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import openai

from gpt_image import errors
from gpt_image.settings import Settings, well_formed_key
from gpt_image.upstream.transport import AiohttpTransport

# Sent where the SDK insists on a key and the upstream wants none, or the caller's is on the call.
_NO_KEY = "none"


@dataclass(frozen=True)
class Payer:
    """Whose key pays for a call, and at which upstream."""

    credential: str
    """What the holder calls the key, for errors: an input's or a variable's name."""
    client: openai.AsyncOpenAI
    key: str = field(repr=False)
    is_caller: bool = False
    account: tuple[str, ...] = field(default=(), repr=False)
    """The ids of organization and project that are sent along."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def origin(self) -> tuple[str, int]:
        """Host and port of the upstream."""
        url = self.client.base_url
        return url.raw_host.decode(), url.port or {"http": 80, "https": 443}[url.scheme]


class Payers:
    """Picks the payer: the caller with a key of their own, or else what the operator has set."""

    def __init__(self, settings: Settings) -> None:
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
                account=tuple(filter(None, (settings.openai_org_id, settings.openai_project_id))),
            )

    def of(self, caller_key: str | None) -> Payer:
        """Who pays for this prediction.

        Raises:
            InvalidInput: the caller's key cannot be sent as a header.
            NoCredentials: there is none, and the operator has set neither a proxy nor a key.
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
            "No API key was given: pass your OpenAI key as openai_api_key, or have the operator "
            "set OPENAI_PROXY_URL or OPENAI_API_KEY."
        )
