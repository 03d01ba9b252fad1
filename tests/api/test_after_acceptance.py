"""What goes wrong here once a prediction is accepted is no 5xx: clients would send it again."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from api.dialects.outputs import Outputs
from api.settings import Settings
from tests.api.api_server import ApiServer, api_server
from tests.api.conftest import CogBehind
from tests.api.kept import Kept
from tests.api.openai_caller import OpenAICaller
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def in_process(cog_behind: CogBehind, kept: Kept, tmp_path: Path) -> Iterator[ApiServer]:
    """The API in this process, before Cog's real server."""
    settings = Settings(
        data_directory=tmp_path,
        cog_url=cog_behind.server.url,
        worker_port=cog_behind.worker_port,
        metrics_port=0,
        **kept.fields,
    )
    with api_server(settings) as running:
        caller = OpenAICaller(running.root, running.token("a"))
        cog_behind.server.wait_until(lambda: caller.get("/v1/models").ok)
        yield running


def test_openais_callers_get_a_400_and_later_the_same_prediction(
    in_process: ApiServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> NoReturn:
        raise OSError("the disk is gone")

    caller = OpenAICaller(in_process.root, in_process.token("a"))
    with monkeypatch.context() as broken:
        broken.setattr(Outputs, "of", fails)
        first = caller.generate()
    again = caller.generate()

    assert first.status_code == 400
    assert first.headers["x-should-retry"] == "false"
    assert f"GET /v1/predictions/{first.headers['x-request-id']}" in first.json()["message"]
    assert again.status_code == 200
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert len(sandbox.ledger) == 1
