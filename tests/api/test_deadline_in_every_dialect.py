"""The operator's deadline ends what runs, and its caller is told what that may have cost."""

from collections.abc import Iterator

import pytest

from dev.servers.api import Api, api_before
from tests.api.conftest import CogBehind
from tests.api.every_dialect import DIALECTS, Draw, NoPicture
from tests.api.kept import Kept


@pytest.fixture(scope="module")
def hurried_api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    settings = {"API_DEADLINE_SECONDS": "8"} | kept.settings
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


@pytest.mark.parametrize("draw", DIALECTS.values(), ids=DIALECTS)
def test_whom_the_deadline_meets_is_told_that_it_may_have_been_billed(
    hurried_api: Api, draw: Draw
) -> None:
    with pytest.raises(NoPicture) as told:
        draw(hurried_api.url, hurried_api.token, "[sandbox:slow seconds=40]")

    assert "The deadline passed while it ran; it may have been billed." in str(told.value)
