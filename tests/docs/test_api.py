"""docs/api.md: the API and its Cog server start as it says there."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dev.servers import Server, clean_environment, free_port, get
from dev.servers.api import shut_down
from dev.servers.predictor import share_cogs_folder
from tests.api.replicate_caller import ReplicateCaller

from .blocks import blocks

PAGE = "docs/api.md"
SANDBOX = "http://127.0.0.1:8080/v1"
PREPARE, START_COG, START_API = blocks(PAGE, "sh")


@pytest.fixture
def by_hand(sandbox_process: Server, clone: Path, tmp_path: Path) -> Iterator[ReplicateCaller]:
    """Both servers, from two terminals in which the exports were pasted; other ports than usual."""
    ports = {name: str(free_port()) for name in ("8000", "8001", "5000", "9464")}
    elsewhere = {
        "API_PORT": ports["8000"],
        "API_WORKER_PORT": ports["8001"],
        "API_METRICS_PORT": ports["9464"],
        "API_COG_URL": f"http://127.0.0.1:{ports['5000']}",
        "API_DATA_DIRECTORY": str(tmp_path / "data"),
        "TMPDIR": str(tmp_path),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    share_cogs_folder()
    with ExitStack() as stack:

        def start(name: str, block: str, **more: str) -> Server:
            prepare = PREPARE.replace(SANDBOX, sandbox_process.url)
            script = f"{prepare}\nexec {block.replace('8001', ports['8001'])}"
            environment = clean_environment() | elsewhere | more
            server = Server(name, ["bash", "-ec", script], environment, clone)
            stack.callback(server.stop)
            return server

        cog = start("Cog's server", START_COG, PORT=ports["5000"])
        stack.callback(shut_down, elsewhere["API_COG_URL"])
        api = start("The API", START_API)
        url = f"http://127.0.0.1:{ports['8000']}"
        api.wait_until(lambda: cog.process.poll() is None and _is_ready(url))
        yield ReplicateCaller(url, (tmp_path / "data" / "token").read_text().strip())


def _is_ready(url: str) -> bool:
    try:
        return get(f"{url}/health/ready")[0] == 200
    except OSError:
        return False


def test_both_servers_that_are_started_by_hand_make_a_picture(by_hand: ReplicateCaller) -> None:
    ended = by_hand.ended(by_hand.created()["id"])

    assert ended["status"] == "succeeded", ended["error"]
