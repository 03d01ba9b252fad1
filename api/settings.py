"""Every environment variable of the API, its default and check: read once, at the start."""

import socket
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.cog_settings import CogSettings
from api.setting_kinds import BucketUrl, HttpUrl, PostgresUrl, Token

PREFIX = "API_"
_SECRETS = Path("/run/secrets")


class BadSettings(Exception):
    """One sentence that names the variables that are wrong, never their values."""


class Settings(BaseSettings):
    """The operator's choices: a field's name in capitals after `API_` is its variable.

    Where a variable is absent, a file in /run/secrets with its name in lower case stands in.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        secrets_dir=_SECRETS if _SECRETS.is_dir() else None,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    data_directory: Path = Field(
        default=Path("api-data"),
        description="Where database, files, keys and the first token are kept.",
    )
    database_url: PostgresUrl | None = Field(
        default=None,
        description=(
            "As in `postgresql://user:password@host:5432/name`: the database that several "
            "processes share. Absent: an SQLite file in the data directory."
        ),
    )
    database_connections: int = Field(
        default=10, ge=2, le=1000, description="The most that a process has; one more listens."
    )
    files: BucketUrl | None = Field(
        default=None,
        description=(
            "As in `s3://bucket/prefix`: where files are kept. AWS_ENDPOINT_URL, AWS_REGION, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say how it is reached. Absent: in the "
            "data directory."
        ),
    )
    files_public_endpoint: HttpUrl | None = Field(
        default=None,
        description=(
            "That store's address as callers reach it: they then get outputs from there, by "
            "presigned addresses. Absent: through the API."
        ),
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("API_PORT", "PORT"),
        description="The port to listen on; 0 picks a free one.",
    )
    public_url: HttpUrl | None = Field(
        default=None,
        description="The address that callers use, without /v1. Absent: that of each request.",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="The address on which /metrics is served."
    )
    metrics_port: int = Field(
        default=9464, ge=0, le=65535, description="The port of /metrics; 0 picks a free one."
    )
    token: Token | None = Field(
        default=None,
        description="A token that is made valid at the start, for the first tenant.",
    )
    encryption_keys: SecretStr | None = Field(
        default=None,
        description=(
            "Keys of 32 bytes in base64, separated by commas, newest first; secrets are stored "
            "encrypted with the first. Absent: a key file in the data directory; with "
            "API_DATABASE_URL they must be set, the same for every process."
        ),
    )

    cog_url: HttpUrl = Field(
        default="http://127.0.0.1:5000", description="The Cog server, on this machine."
    )
    cog_command: str | None = Field(
        default=None,
        description=(
            "Starts that server, as in `python -m cog.server.http --host 127.0.0.1`; it is then "
            "started again when it is gone, sick or frozen. Absent: somebody else starts it."
        ),
    )
    cog_slots: int = Field(
        default=32, ge=1, le=1000, description="Its COG_MAX_CONCURRENCY: predictions at a time."
    )
    cog_output_directory: Path | None = Field(
        default=None,
        description="Its OUTPUT_DIRECTORY, where paid pictures are looked for after a crash.",
    )
    cog_word_seconds: float = Field(
        default=840,
        gt=0,
        description="Seconds for which an idle Cog server may repeat a webhook that nobody took.",
    )
    cog_lost_seconds: float = Field(
        default=300,
        ge=0,
        description="Seconds for which files of a lost Cog server may still come.",
    )
    more_cogs: tuple[CogSettings, ...] = Field(
        default=(),
        description=(
            "Further Cog servers on this machine, as JSON: "
            '[{"model": "openai/gpt-image-2-extended", "url": "http://127.0.0.1:5001"}], each also '
            "with `slots`, `command`, `output_directory`. `serve` knows the models from there."
        ),
    )
    upstream_images_per_minute: int | None = Field(
        default=None,
        ge=1,
        description=(
            "What the operator's account may make in a minute, input images counted as well: more "
            "waits. OpenAI's tiers 1 to 5 have 5, 20, 50, 150 and 250. Absent: no limit."
        ),
    )
    upstream_window_seconds: float = Field(
        default=61, gt=0, description="Seconds for which an image counts: a minute and a second."
    )
    worker_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The worker that owns what it took. Absent: the host's name, if several can.",
    )
    reserved_dollars: float = Field(
        default=0.25,
        ge=0,
        description="What a prediction counts against a daily limit until its end tells its cost.",
    )
    worker_port: int = Field(
        default=8001,
        ge=0,
        le=65535,
        description="The loopback port to which Cog sends results; the same after a restart.",
    )

    model_owner: str = Field(default="openai", description="The model's owner as callers name it.")
    model_name: str = Field(default="gpt-image-2", description="The model as callers name it.")
    deployments: frozenset[str] = Field(
        default=frozenset(),
        description='Deployment names that mean the model too, as JSON: ["acme/pictures"].',
    )

    max_body_bytes: int = Field(
        default=100_000_000, ge=1000, description="The largest request body."
    )
    max_bodies_bytes: int = Field(
        default=400_000_000, ge=1000, description="Request bodies in flight, together."
    )
    body_seconds: float = Field(default=120, gt=0, description="Seconds for a body to arrive.")
    max_upload_bytes: int = Field(
        default=100_000_000, ge=1, description="The largest uploaded file."
    )
    max_data_uri_bytes: int = Field(
        default=25_000_000,
        ge=0,
        description="Where callers come over http, outputs up to this size are data: URIs.",
    )

    deadline_seconds: float = Field(
        default=3600,
        gt=0,
        description="Seconds from its creation by which a prediction has ended in any case.",
    )
    retention_seconds: float = Field(
        default=3600,
        ge=1,
        description="Seconds from the end until inputs, outputs and logs are removed.",
    )
    upload_retention_seconds: float = Field(
        default=86400, ge=1, description="Seconds until an uploaded file is removed."
    )
    record_retention_seconds: float = Field(
        default=30 * 86400.0,
        ge=1,
        description="Seconds from its end until the rest of a prediction is removed.",
    )
    webhook_attempts: int = Field(
        default=10,
        ge=1,
        le=20,
        description="How often the last webhook is tried; waits double from 1 s, up to 10 min.",
    )
    websocket_ping_seconds: float = Field(
        default=20,
        gt=0,
        description="Seconds between pings of a WebSocket; one without an answer closes it.",
    )
    runware_sizes: Literal["scale", "refuse"] = Field(
        default="scale",
        description=(
            "What becomes of a size that Runware's clients ask for and the model does not draw: "
            "the nearest is drawn and scaled, or the task is refused."
        ),
    )
    private_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description=(
            "Private networks that callers' addresses may point to, as JSON: "
            '["10.1.0.0/16"]. None by default.'
        ),
    )

    @property
    def is_shared(self) -> bool:
        """Whether other processes use the same database."""
        return self.database_url is not None

    @property
    def worker(self) -> str:
        """The worker's name, whether it was set or not."""
        # On one machine a host that is named anew must not lose what it had.
        return self.worker_name or (socket.gethostname()[:64] if self.is_shared else "worker")

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return self.data_directory / "api.db"

    @property
    def files_directory(self) -> Path:
        """Where the local file store keeps its files."""
        return self.data_directory / "files"
