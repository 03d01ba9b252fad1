"""What addresses in settings may look like."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr


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
        raise ValueError("must be as in s3://bucket/prefix")
    return url


def _model_name(name: str) -> str:
    owner, slash, rest = name.partition("/")
    if not (owner and slash and rest) or "/" in rest or len(name) > 255:
        raise ValueError("must be as in owner/name")
    return name


HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
BucketUrl = Annotated[str, AfterValidator(_bucket_url)]
ModelName = Annotated[str, AfterValidator(_model_name)]
