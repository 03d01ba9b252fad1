"""What the API's tests share: the API before Cog's real server, which calls the sandbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
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


@pytest.fixture(scope="module")
def api(cog_behind: CogBehind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API of this module's own."""
    data = tmp_path_factory.mktemp("api")
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED, "API_RETENTION_SECONDS": "3600"}
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
