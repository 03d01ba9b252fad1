"""An upstream and file server whose answers the test writes, and a predictor in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import predictor_server
from tests.support.cog_client import Cog
from tests.support.loopback import StandIn, stand_in


@pytest.fixture(scope="module")
def running_stand_in() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture
def upstream(running_stand_in: StandIn) -> StandIn:
    running_stand_in.requests.clear()
    return running_stand_in


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an operator with a login for every host in the .netrc."""
    home = tmp_path_factory.mktemp("home")
    netrc = home / ".netrc"
    netrc.write_text("default login someone password test-password\n")
    netrc.chmod(0o600)
    (home / "outputs").mkdir()
    return home


@pytest.fixture(scope="module")
def here(running_stand_in: StandIn, home: Path) -> Iterator[Cog]:
    """A predictor in front of the stand-in; it writes to `home`/outputs."""
    environment = {"HOME": str(home), "OUTPUT_DIRECTORY": str(home / "outputs")}
    with predictor_server(**environment, OPENAI_PROXY_URL=f"{running_stand_in.root}/v1") as server:
        yield Cog(server.url)
