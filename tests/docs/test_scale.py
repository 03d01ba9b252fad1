"""docs/scale.md: each command that looks after a running API does what it says."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before
from tests.api.commands import admin

from .blocks import blocks

pytestmark = pytest.mark.long

PAGE = "docs/scale.md"
LOOKING_AFTER = next(block for block in blocks(PAGE, "sh") if "api admin" in block)
RUN_ELSEWHERE = {
    "python -m api worker": "tests/api/cluster.py starts these processes",
    "deploy/compose.scale.yaml": "tests/deploy/test_scale.py reads the file",
    "deploy/kubernetes/api/": "a test in tests/deploy reads the files",
    "API_MORE_COGS": "tests/api/test_several_models.py starts both Cog servers",
}
COMMANDS = [shlex.split(line, comments=True) for line in LOOKING_AFTER.splitlines()]


@pytest.fixture
def api(predictor_process: Server, outputs: Path, tmp_path: Path) -> Iterator[Api]:
    """With the tenant and the worker of the document; nothing is predicted here."""
    named = {"API_WORKER_NAME": "worker-1"}
    with api_before(predictor_process, free_port(), tmp_path / "data", outputs, **named) as running:
        admin(running, "token", "create", "acme")
        yield running


def test_each_command_does_its_work_beside_the_running_api(api: Api, tmp_path: Path) -> None:
    said = {}
    for python, _, module, *arguments in COMMANDS:
        assert (python, module) == ("python", "api")
        if arguments[0] == "restore":
            api = Api(tmp_path / "restored", api.cog_url, api.worker_port, api.outputs)
        here = [each.replace("DIRECTORY", str(tmp_path / "backup")) for each in arguments]
        said[" ".join(arguments[:2])] = admin(api, *here)

    assert "dollars_a_day" in said["admin limits"]
    assert "worker-1" in said["admin workers"]
    assert (tmp_path / "restored" / "api.db").exists()


def test_what_is_not_run_here_is_what_other_tests_run() -> None:
    for block in blocks(PAGE, "sh"):
        is_elsewhere = any(words in block for words in RUN_ELSEWHERE)
        assert is_elsewhere != (block == LOOKING_AFTER), block
