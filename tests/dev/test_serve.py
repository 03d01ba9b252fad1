"""`make serve`: what it prints can be pasted, and it serves whom it says."""

import re
import subprocess
from pathlib import Path

import pytest
import requests

from dev.servers import PROJECT, sandbox_server
from tests.support.sandbox_client import Sandbox

from .stoppable import Running, running

pytestmark = pytest.mark.slow

SERVE: list[str | Path] = [PROJECT / "scripts" / "dev", "serve"]
STOPPED = "Stopped; nothing is left running."


def printed_command(server: Running) -> str:
    server.wait_for("Ctrl-C stops the server.")
    (command,) = re.findall(r"^  (curl .*\n    .*)$", server.printed, re.MULTILINE)
    return str(command)


def paste(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=cwd, capture_output=True, text=True, timeout=30
    )


def test_the_printed_line_saves_a_picture_or_says_why_not(tmp_path: Path) -> None:
    with running(SERVE, tmp_path) as server:
        command = printed_command(server)
        done = paste(command, tmp_path)
        refused = paste(command.replace("a red bicycle", "a [sandbox:moderation]"), tmp_path)
        unknown = paste(command.replace('"prompt"', '"quality": "best", "prompt"'), tmp_path)
        said = server.press_ctrl_c()
    gone = paste(command, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "picture.0.webp"
    assert refused.returncode == unknown.returncode == gone.returncode == 1
    assert "ModerationBlocked" in refused.stderr
    assert unknown.stderr.startswith('quality: "best" is not one of')
    assert "Failed to connect" in gone.stderr or "Couldn't connect" in gone.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["picture.0.webp"]
    assert said == STOPPED


def test_real_serves_callers_by_the_exported_key(tmp_path: Path) -> None:
    with sandbox_server(SANDBOX_RECORD="true") as openai:
        exported = {"OPENAI_API_KEY": "test-key-operator", "OPENAI_BASE_URL": openai.url}
        with running([*SERVE, "--real"], tmp_path, **exported) as server:
            url = re.findall(r"curl -sS (http://\S+)", printed_command(server))[0]
            answer = requests.post(url, json={"input": {"prompt": "x"}}, timeout=30)
            server.press_ctrl_c()
        assert answer.json()["status"] == "succeeded"
        sent = Sandbox(openai.root).request

    assert sent.headers["authorization"] == "Bearer test-key-operator"
    assert "paid, by OPENAI_API_KEY at 127.0.0.1" in server.printed
    assert "test-key-operator" not in server.printed
