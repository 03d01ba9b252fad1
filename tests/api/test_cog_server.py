"""A Cog server that the API starts itself is started again when it is gone or does not recover."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from dev.servers import Server, free_port, get, install_schema
from dev.servers.api import Api
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller

pytestmark = pytest.mark.long


@pytest.fixture
def api(sandbox_process: Server, own_kept: Kept, tmp_path: Path) -> Iterator[Api]:
    install_schema()
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    command = shlex.join([sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"])
    settings = own_kept.settings | {
        "API_COG_COMMAND": command,
        "API_COG_SLOTS": "4",
        "API_COG_LOST_SECONDS": "4",
        "COG_PREDICT_TYPE_STUB": "predict.py:Predictor",
        "OPENAI_PROXY_URL": sandbox_process.url,
    }
    cog_url = f"http://127.0.0.1:{free_port()}"
    api = Api(tmp_path / "data", cog_url, free_port(), outputs, settings=settings)
    try:
        api.start()
        yield api
    finally:
        api.stop()
        for process in cog_servers(api):
            process.kill()


def cog_servers(api: Api) -> list[psutil.Process]:
    """Those at the API's address."""
    port = api.cog_url.rpartition(":")[2]
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        uploads = f"http://127.0.0.1:{api.worker_port}/outputs"
        if "cog.server.http" in command and uploads in command:
            # Another test's API may have been given the same free port for its worker.
            with suppress(psutil.Error):
                found += [process] if process.environ().get("PORT") == port else []
    return found


def identity(api: Api) -> str:
    return str(json.loads(get(f"{api.cog_url}/health-check")[1])["setup"]["started_at"])


def test_it_is_started_and_gets_none_of_the_apis_secrets(api: Api) -> None:
    caller = ReplicateCaller(api.url, api.token)
    assert caller.ended(caller.created()["id"])["status"] == "succeeded"

    (server,) = cog_servers(api)
    assert not [name for name in server.environ() if name.startswith("API_")]
    assert server.environ()["COG_MAX_CONCURRENCY"] == "4"


def test_one_that_died_is_started_again(api: Api) -> None:
    before = identity(api)
    (server,) = cog_servers(api)
    server.kill()

    caller = ReplicateCaller(api.url, api.token)
    assert caller.ended(caller.created()["id"])["status"] == "succeeded"
    assert identity(api) != before


def test_one_whose_worker_crashed_is_started_again(api: Api) -> None:
    (server,) = cog_servers(api)
    before = identity(api)
    for worker in server.children():
        worker.kill()

    give_up = time.monotonic() + 60
    while not (api.is_ready() and identity(api) != before):
        assert time.monotonic() < give_up
        time.sleep(0.2)
    caller = ReplicateCaller(api.url, api.token)
    assert caller.ended(caller.created()["id"])["status"] == "succeeded"


def test_it_outlives_a_crash_of_the_api_with_what_runs_there(api: Api) -> None:
    caller = ReplicateCaller(api.url, api.token)
    id = caller.created("[sandbox:slow seconds=4]")["id"]
    caller.once(id, "processing")
    before = identity(api)

    api.kill()
    api.start()

    assert identity(api) == before
    assert caller.ended(id)["status"] == "succeeded"


def test_an_orderly_end_of_the_api_ends_it_too(api: Api) -> None:
    api.stop()

    give_up = time.monotonic() + 60
    while cog_servers(api):
        assert time.monotonic() < give_up
        time.sleep(0.1)
