"""Every environment variable, its default and check: read once, in setup()."""

import os
import re
import tempfile
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx2
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gpt_image import secret_files
from gpt_image.errors import BadSettings

_PREFIX = "OPENAI_"

# Docker's and Kubernetes' place for secrets as files: unlike variables, `docker inspect` does not
# show them.
_SECRETS = Path("/run/secrets")

# 63 octets for each part of a host name (RFC 1035, 2.3.4); underscores because Docker Compose
# allows them in the names of services.
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def well_formed_key(key: str) -> str:
    """`key` without outer white space.

    Raises:
        ValueError: it could not be sent as a header. The HTTP client would print such a header
            in clear, so it must never get there; the key is not repeated.
    """
    stripped = key.strip()
    if not all("!" <= character <= "~" for character in stripped):
        raise ValueError(
            "the key holds spaces, line breaks or characters outside ASCII; copy it again, alone"
        )
    return stripped


def _http_url(url: str) -> str:
    url = url.strip()
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise _no_url() from None
    if parts.scheme not in {"http", "https"} or not parts.host or re.search(r"[\s\\]", url):
        raise _no_url()
    if parts.userinfo:
        raise ValueError("must not hold a login; put the key into a variable of its own")
    if "?" in url or "#" in url:
        raise ValueError("must end with its path, without ? and #")
    if parts.port is not None and not 0 < parts.port < 65536:
        raise ValueError("has an impossible port; it must be from 1 to 65535")
    host = parts.raw_host.decode()
    if ":" not in host and not (_HOST_NAME.fullmatch(host) and len(host) <= 253):
        raise ValueError(
            "has an impossible host name; each part between dots takes 1 to 63 letters, digits "
            "or hyphens"
        )
    return url.rstrip("/")


def _no_url() -> ValueError:
    return ValueError("must be a URL such as https://gateway.example/v1")


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _check_secret(value: SecretStr) -> SecretStr:
    return SecretStr(well_formed_key(value.get_secret_value()))


_Key = Annotated[
    Annotated[SecretStr, AfterValidator(_check_secret)] | None, BeforeValidator(_blank_is_absent)
]
_Url = Annotated[
    Annotated[str, AfterValidator(_http_url)] | None, BeforeValidator(_blank_is_absent)
]
_Id = Annotated[
    Annotated[str, AfterValidator(well_formed_key)] | None, BeforeValidator(_blank_is_absent)
]


def _network(text: object) -> object:
    try:
        return ip_network(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError("must be networks such as 10.1.0.0/16, with commas between") from None


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


_Networks = Annotated[
    tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...],
    NoDecode,
    BeforeValidator(_split),
]


class Settings(BaseSettings):
    """The operator's choices; a field's name in capitals is its environment variable.

    Where a variable is absent, a file in /run/secrets with the field's name stands in for it.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        validate_default=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    openai_proxy_url: _Url = Field(
        default=None,
        description="Where callers without a key are served: an OpenAI-compatible proxy.",
    )
    openai_proxy_key: _Key = Field(
        default=None, description="The key that the proxy wants, if any."
    )
    openai_api_key: _Key = Field(
        default=None,
        description="The operator's key, for callers without one where no proxy is set.",
    )
    openai_org_id: _Id = Field(
        default=None, description="Organization sent with the operator's key, and only with it."
    )
    openai_project_id: _Id = Field(
        default=None, description="Project sent with the operator's key, and only with it."
    )
    openai_base_url: Annotated[str, AfterValidator(_http_url)] = Field(
        default="https://api.openai.com/v1",
        description="Where callers' and operator's keys are sent.",
    )
    openai_image_model: str = Field(
        default="gpt-image-2",
        min_length=1,
        description="The model sent upstream and named in the log.",
    )
    openai_deadline_seconds: float = Field(
        default=600,
        gt=0,
        le=86400,
        description="Seconds for one prediction's upstream work, retries included.",
    )
    openai_connect_timeout_seconds: float = Field(
        default=5, gt=0, le=600, description="Seconds to make a connection."
    )
    openai_retry_ambiguous: bool = Field(
        default=False,
        description="Also retry what may already have been billed: it can charge twice.",
    )
    openai_stream_upstream: bool = Field(
        default=False,
        description="Ask the upstream for its answer as events, for gateways that cut a connection "
        "on which nothing comes for a while.",
    )
    openai_fetch_networks: _Networks = Field(
        default=(),
        description="Networks that are not public, as in `10.1.0.0/16, fd00::/8`, from which "
        "images may be fetched that an upstream answers with as URLs; its own host always may.",
        json_schema_extra={"shown_default": "none"},
    )
    output_directory: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / "gpt-image-2",
        description="Where output files are written, one fresh directory a prediction.",
        json_schema_extra={"shown_default": "`gpt-image-2` in the temporary directory"},
    )
    output_max_age_seconds: float = Field(
        default=3600,
        ge=60,
        description="Age at which a later prediction removes output files.",
    )

    @field_validator("output_max_age_seconds")
    @classmethod
    def _outlives_a_prediction(cls, age: float, info: ValidationInfo) -> float:
        if age < info.data.get("openai_deadline_seconds", 0):
            raise ValueError("must not be below OPENAI_DEADLINE_SECONDS")
        return age

    @property
    def payer_without_key(self) -> str:
        """Who serves callers that bring no key, as the log says it at start; holds no secret."""
        if self.openai_proxy_url:
            keyed = "with OPENAI_PROXY_KEY" if self.openai_proxy_key else "without a key"
            return f"the proxy at {urlsplit(self.openai_proxy_url).netloc}, {keyed}"
        if self.openai_api_key:
            return f"OPENAI_API_KEY at {urlsplit(self.openai_base_url).netloc}"
        return "nobody; each request must bring its own openai_api_key"


def take_settings(secrets: Path = _SECRETS) -> Settings:
    """Read the settings, then remove the OpenAI variables from this process's environment.

    The openai SDK reads `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`, `OPENAI_CUSTOM_HEADERS`,
    `OPENAI_ADMIN_KEY` and others by itself whenever a client is made or copied, and would send
    the operator's with a caller's key (tried on openai 3.52).

    Args:
        secrets: the directory of files that stand in for absent variables.

    Raises:
        BadSettings: a value is wrong, or a file is; names variable or file, never the value.
    """
    files = secret_files.checked(secrets, Settings.model_fields)
    source: dict[str, Any] = {"_secrets_dir": secrets if files else None}
    try:
        settings = Settings(**source)
    except ValidationError as error:
        problems = "; ".join(
            f"{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_context=False)
        )
        raise BadSettings(
            f"Correct these environment variables and start again: {problems}."
        ) from None
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    return settings
