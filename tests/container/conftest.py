"""One image and one network for all tests here, and the figures printed at the end."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dev.servers import Server, sandbox_server

from .commands import docker, gateway
from .container import Container, running
from .image import Image, built

BUILDERS_KEY = "test-key-of-the-builder"
OPERATORS_KEY = "test-key-of-the-operator"
figures = pytest.StashKey[list[str]]()
ready_after = pytest.StashKey[list[float]]()  # seconds

Start = Callable[..., AbstractContextManager[Container]]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[figures] = []
    config.stash[ready_after] = []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if seconds := config.stash[ready_after]:
        terminalreporter.section("container")
        for line in config.stash[figures]:
            terminalreporter.line(line)
        best, typical = min(seconds), statistics.median(seconds)
        terminalreporter.line(
            f"READY after docker run: best {best:.2f} s, median {typical:.2f} s of {len(seconds)}"
        )


@pytest.fixture(scope="session")
def figure(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Takes a line for the end of the report."""
    return pytestconfig.stash[figures].append


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The product's image; its builder has a key in the environment, as people do."""
    try:
        docker("info")
    except (AssertionError, FileNotFoundError):
        if os.environ.get("CI"):
            raise
        pytest.skip("no Docker daemon answers; `make container-test` starts one")
    with built(OPENAI_API_KEY=BUILDERS_KEY, OPENAI_PROXY_KEY=BUILDERS_KEY) as made:
        yield made


@pytest.fixture(scope="session")
def network(image: Image) -> Iterator[str]:
    """A network without egress: containers reach the host at its gateway, and nothing else."""
    name = docker("network", "create", "--internal", f"gpt-image-2-test-{os.getpid()}")
    name = docker("network", "inspect", "--format", "{{.Name}}", name)
    yield name
    docker("network", "rm", name)


@pytest.fixture(scope="session")
def sandbox(network: str) -> Iterator[Server]:
    """A stand-in for a proxy that wants the operator's key."""
    host = gateway(network)
    with sandbox_server(SANDBOX_HOST=host, SANDBOX_REQUIRED_KEY=OPERATORS_KEY) as server:
        yield server


@pytest.fixture(scope="session")
def slow_sandbox(network: str) -> Iterator[Server]:
    """One that takes two seconds over a picture."""
    with sandbox_server(SANDBOX_HOST=gateway(network), SANDBOX_LATENCY="2") as server:
        yield server


@pytest.fixture(scope="session")
def start(image: Image, network: str, pytestconfig: pytest.Config) -> Start:
    """Run a container of the image on the network; takes what `running` takes after those."""

    @contextmanager
    def started(*arguments: Sequence[str], **environment: str) -> Iterator[Container]:
        with running(image.name, network, *arguments, **environment) as container:
            pytestconfig.stash[ready_after].append(container.ready_after)
            yield container

    return started


@pytest.fixture(scope="session")
def container(
    start: Start, sandbox: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """The product, with the sandbox as its proxy."""
    # A file and not a variable, which `docker inspect` shows to everybody.
    key = tmp_path_factory.mktemp("secrets") / "openai_proxy_key"
    key.write_text(OPERATORS_KEY + "\n")
    options = ["--volume", f"{_readable(key)}:/run/secrets/openai_proxy_key:ro"]
    upstream = {"OPENAI_PROXY_URL": sandbox.url, "OPENAI_BASE_URL": sandbox.url}
    with start(options, **upstream) as product:
        yield product


def _readable(file: Path) -> Path:
    """The container's user is nobody, and owns no file here."""
    file.chmod(0o644)
    return file
