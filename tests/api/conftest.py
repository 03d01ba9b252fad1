"""What the API's tests share: the API before Cog's real server, which calls the sandbox."""

import base64
import itertools
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from dev.servers.object_store import NoObjectStore, ObjectStore, object_store
from dev.servers.postgres import NoPostgres, Postgres, postgres_server
from tests.api.replicate_caller import ReplicateCaller
from tests.support.loopback import Webhooks, webhook_receiver
from tests.support.sandbox_client import Sandbox

LOOPBACK_ALLOWED = '["127.0.0.0/8"]'
"""For API_PRIVATE_NETWORKS: the servers of tests are on loopback."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class CogBehind:
    """A Cog server that brings its word to `worker_port`; one API at a time may listen there."""

    server: Server
    worker_port: int
    outputs: Path


@pytest.fixture(scope="session")
def cog_behind(
    sandbox_process: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CogBehind]:
    port, outputs = free_port(), tmp_path_factory.mktemp("left-behind")
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_BASE_URL": sandbox_process.url}
    with predictor_for_api(port, outputs, **environment) as server:
        yield CogBehind(server, port, outputs)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        # Nothing that a test does outlives the machine.
        with postgres_server("--fsync=off") as server:
            yield server
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def store() -> Iterator[ObjectStore]:
    try:
        with object_store() as server:
            yield server
    except NoObjectStore as missing:
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Kept:
    """Where an API keeps what it has: in a directory, or where several processes share it."""

    settings: dict[str, str]
    store: ObjectStore | None = None

    def files(self, data: Path) -> set[str]:
        """The names of all files that it has stored."""
        if self.store:
            return self.store.names(self.settings["API_FILES"].removeprefix("s3://"))
        return {file.name for file in (data / "files").iterdir()}

    def limit(self, data: Path, **limits: object) -> None:
        """Set the limits of all tenants."""
        changed = json.dumps(limits)
        if self.store:
            with psycopg.connect(self.settings["API_DATABASE_URL"]) as connection:
                connection.execute("UPDATE tenants SET limits = %s", [changed])
            return
        with closing(sqlite3.connect(data / "api.db")) as database, database:
            database.execute("UPDATE tenants SET limits = ?", [changed])


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
_numbers = itertools.count(1)


def shared(postgres: Postgres, store: ObjectStore) -> Kept:
    """An empty database, and an empty bucket."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings = {
        "API_DATABASE_URL": postgres.create_database(),
        "API_ENCRYPTION_KEYS": key,
        "API_FILES": store.create_bucket(f"files-{next(_numbers)}"),
    }
    return Kept(settings | store.variables, store)


ON_BOTH = pytest.mark.parametrize("kept", BOTH, indirect=True, scope="module")
"""For modules whose tests are about what is kept: on each database, and in each store."""


@pytest.fixture(scope="module")
def kept(request: pytest.FixtureRequest) -> Kept:
    """SQLite and a directory, or Postgres and a bucket."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return Kept({})
    return shared(request.getfixturevalue("postgres"), request.getfixturevalue("store"))


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind,
    kept: Kept,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """An API of this module's own, with each database and each store."""
    data = tmp_path_factory.mktemp("api")
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED, "API_RETENTION_SECONDS": "3600"}
    settings |= kept.settings
    behind = cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


@pytest.fixture
def caller(api: Api, sandbox: Sandbox) -> ReplicateCaller:
    """The first tenant; the sandbox has no requests recorded yet."""
    return ReplicateCaller(api.url, api.token)


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    with webhook_receiver() as receiver:
        yield receiver
