"""What addresses and tokens in settings may look like."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

_SHORTEST_TOKEN = 20  # characters, so that nobody guesses it


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://api.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no login, ? or #")
    return url.rstrip("/")


def _postgres_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/name")
    return SecretStr(parts._replace(scheme="postgresql").geturl())


def _bucket_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must look like s3://bucket/prefix")
    return url


def _token(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value()) < _SHORTEST_TOKEN:
        raise ValueError(f"must have at least {_SHORTEST_TOKEN} characters")
    return token


def _model_name(name: str) -> str:
    owner, slash, rest = name.partition("/")
    if not (owner and slash and rest) or "/" in rest or len(name) > 255:
        raise ValueError("must look like owner/name")
    return name


HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
BucketUrl = Annotated[str, AfterValidator(_bucket_url)]
Token = Annotated[SecretStr, AfterValidator(_token)]
ModelName = Annotated[str, AfterValidator(_model_name)]
