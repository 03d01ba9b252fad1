"""An API with little patience, and what must be true of it after every test."""

from collections.abc import Iterator

import pytest

from dev.servers import get
from dev.servers.api import Api, api_before
from tests.api.conftest import CogBehind
from tests.api.hostile.raw_caller import RawCaller
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller

BODY_SECONDS = 2.0
MOST_BYTES = 3_000_000
GOOD = b'{"input": {"prompt": "A lighthouse at dusk"}}'


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    settings = kept.settings | {
        "API_BODY_SECONDS": str(BODY_SECONDS),
        "API_MAX_BODY_BYTES": str(MOST_BYTES),
        "API_MAX_BODIES_BYTES": str(4 * MOST_BYTES),
    }
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


@pytest.fixture
def raw(caller: ReplicateCaller) -> RawCaller:
    return RawCaller.like(caller)


@pytest.fixture(autouse=True)
def goes_on_as_before(api: Api) -> Iterator[None]:
    """The API is ready after the test, and its log tells of nothing unforeseen."""
    assert api.server
    before = len(api.server.log)
    yield
    assert get(f"{api.url}/health/ready")[0] == 200
    told = api.server.log[before:]
    assert "Traceback" not in told
    assert '"level": "error"' not in told
