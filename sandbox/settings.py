"""Every environment variable that changes how the sandbox behaves."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sandbox.models import MODELS


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_at_commas)]


class Settings(BaseSettings):
    """The sandbox's settings, read from ``SANDBOX_*`` environment variables."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", env_ignore_empty=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=0, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    latency: float = Field(default=0.0, ge=0, description="Seconds that rendering seems to take.")
    seed: int = Field(
        default=0, description="Changes every picture and the order of random faults."
    )
    models: CommaList = Field(default=tuple(MODELS), description="Models that exist here.")
    required_key: SecretStr | None = Field(
        default=None, description="The only key accepted, as a proxy with a key of its own would."
    )
    grain: bool = Field(
        default=False, description="Add film grain, which makes files about as heavy as real ones."
    )
    prerendered: bool = Field(
        default=False,
        description=(
            "Draw each kind of answer once and repeat its bytes, for benchmarks; not with a mask."
        ),
    )
    record: bool = Field(default=False, description="Keep every request for GET /sandbox/requests.")
    images_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Images that each key may make in a minute, with input images; then 429.",
    )
    minute_seconds: float = Field(
        default=60.0, gt=0, description="How long that minute is, for tests that cannot wait."
    )
    fault_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of requests that go wrong."
    )
    faults: CommaList = Field(
        default=(), description="Faults to choose from by rate; empty means all."
    )
    gateway: CommaList = Field(default=(), description="Gateway quirks that are always on.")
