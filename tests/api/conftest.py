"""What the API's tests share: the API before Cog's real server, which calls the sandbox."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from dev.servers.object_store import NoObjectStore, ObjectStore, object_store
from dev.servers.postgres import NoPostgres, Postgres, postgres_server
from tests.api.kept import Kept, on_one_machine, shared
from tests.api.replicate_caller import ReplicateCaller
from tests.conftest import SHARED
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


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
"""For tests of one part that need no API: on each database, in whatever run."""


@pytest.fixture(scope="session")
def keeping(request: pytest.FixtureRequest) -> Iterator[Callable[[], Kept]]:
    """Makes a place of its own for each API: on one machine, or shared where --shared says so."""
    if not request.config.getoption(SHARED):
        yield on_one_machine
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    store: ObjectStore = request.getfixturevalue("store")
    with pytest.MonkeyPatch.context() as here:  # for APIs in this process
        for name, value in store.variables.items():
            here.setenv(name, value)
        yield lambda: shared(postgres, store)


@pytest.fixture(scope="module")
def kept(keeping: Callable[[], Kept]) -> Kept:
    """Where this module's API keeps what it has."""
    return keeping()


@pytest.fixture
def own_kept(keeping: Callable[[], Kept]) -> Kept:
    """Where an API of this test alone keeps what it has."""
    return keeping()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --shared those tests run that start an API, and so ask where it keeps what it has."""
    if not config.getoption(SHARED):
        return
    here: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("one_machine"):
            item.add_marker(pytest.mark.skip(reason="about the SQLite file or the directory"))
            here.append(item)
        else:
            starts_one = "keeping" in getattr(item, "fixturenames", ())
            (here if starts_one else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = here


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind,
    kept: Kept,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """An API of this module's own."""
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
