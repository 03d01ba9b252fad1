"""The real servers that tests talk to: Cog's with the predictor, and the sandbox behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dev.servers import Server, predictor_server, sandbox_server
from tests.support.cog_client import Cog, picture
from tests.support.loopback import file_server
from tests.support.sandbox_client import Sandbox

SHARED = "--shared"

# A machine that stands still for some seconds is neither a slow strategy nor a slow example.
settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests of the API that start one, with nothing of it on one machine."""
    parser.addoption(
        SHARED,
        action="store_true",
        help="the tests that start an API, each on a Postgres database and a bucket of its own",
    )


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Server]:
    with sandbox_server(SANDBOX_RECORD="true", SANDBOX_PRERENDERED="true") as server:
        yield server


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the predictor writes its output files, and nobody else."""
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="session")
def predictor_process(sandbox_process: Server, outputs: Path) -> Iterator[Server]:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OUTPUT_DIRECTORY": str(outputs)}
    with predictor_server(**environment) as server:
        yield server


@pytest.fixture
def sandbox(sandbox_process: Server) -> Sandbox:
    """The sandbox, with no requests recorded yet."""
    sandbox = Sandbox(sandbox_process.root)
    sandbox.forget()
    return sandbox


@pytest.fixture
def cog(predictor_process: Server) -> Cog:
    """The predictor as an operator runs it with a proxy, the sandbox, for callers without a key."""
    return Cog(predictor_process.url)


@pytest.fixture
def image_url(sandbox: Sandbox) -> Iterator[str]:
    """The URL of a PNG, without a suffix, on a server of its own."""
    with file_server({"/picture": picture()}) as url:
        yield f"{url}/picture"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests have to say about themselves as a whole, as the walk over the facts does."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
