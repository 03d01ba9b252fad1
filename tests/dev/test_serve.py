"""`make serve`: what it prints can be pasted, and it serves whom it says."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev.servers import PROJECT, clean_environment, free_port, sandbox_server
from dev.servers.process import STOP_WITHIN
from tests.api.clients.published import javascript_clients, python_client
from tests.docs.blocks import blocks
from tests.support.sandbox_client import Sandbox

from .stoppable import Running, running

pytestmark = pytest.mark.long

SERVE: list[str | Path] = [PROJECT / "scripts" / "dev", "serve"]
SERVE_COG: list[str | Path] = [*SERVE, "--cog"]
TOKEN = "a-token-of-the-serve-tests-0123456789"
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
    with running(SERVE_COG, tmp_path) as server:
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
        with running([*SERVE_COG, "--real"], tmp_path, **exported) as server:
            url = re.findall(r"curl -sS (http://\S+)", printed_command(server))[0]
            answer = requests.post(url, json={"input": {"prompt": "x"}}, timeout=30)
            server.press_ctrl_c()
        assert answer.json()["status"] == "succeeded"
        sent = Sandbox(openai.root).request

    assert sent.headers["authorization"] == "Bearer test-key-operator"
    assert "paid, by OPENAI_API_KEY at 127.0.0.1" in server.printed
    assert "test-key-operator" not in server.printed


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    """The API as `make serve` starts it, with a token and a port that the caller chose."""
    chosen = {"PORT": str(free_port()), "API_TOKEN": TOKEN}
    with running(SERVE, tmp_path, API_DATA_DIRECTORY=str(tmp_path / "data"), **chosen) as server:
        server.wait_for("Ctrl-C stops the server.")
        yield server
        assert server.press_ctrl_c() == STOPPED


def pieces(server: Running) -> list[str]:
    """What is printed to be pasted, without what installs a client."""
    ready = server.printed.partition("three ways:\n\n")[2].rpartition("\n\nThey save")[0]
    return [re.sub(r"^(python3 -m venv|npm) .*\n", "", piece) for piece in ready.split("\n\n")]


def pasted(piece: str, tmp_path: Path) -> None:
    done = paste(piece, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_has_to_kill_no_server_and_a_second_one_is_refused_before(tmp_path: Path) -> None:
    data = tmp_path / "data"
    chosen = {"PORT": str(free_port()), "API_DATA_DIRECTORY": str(data)}
    with running(SERVE, tmp_path, **chosen) as server:
        server.wait_for("Ctrl-C stops the server.")
        token = (data / "token").read_text()
        second = refused(tmp_path, API_DATA_DIRECTORY=str(data), API_TOKEN=TOKEN)
        assert f"Another API runs with {data}; stop it, or set API_DATA_DIRECTORY" in second.stderr
        assert (data / "token").read_text() == token
        pressed = time.monotonic()
        assert server.press_ctrl_c() == STOPPED
    assert time.monotonic() - pressed < STOP_WITHIN


@pytest.mark.parametrize("chosen", ["eighty", "65536"])
def test_a_port_that_is_none_is_refused_at_once(tmp_path: Path, chosen: str) -> None:
    done = refused(tmp_path, PORT=chosen)
    assert done.stderr == "PORT must be a number from 1 to 65535.\n"


def test_a_chosen_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = refused(tmp_path, PORT=port)
    said = f"Port {port} cannot be used (Address already in use); set PORT to another one"
    assert done.stderr == f"{said}, or leave it out.\n"


def refused(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A start that ends by itself."""
    own = {"PYTHONPATH": str(PROJECT), "VENV": sys.prefix}
    done = subprocess.run(
        SERVE,
        cwd=folder,
        env=clean_environment() | own | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    return done


@pytest.mark.clients
def test_each_piece_that_is_printed_saves_a_picture(api: Running, tmp_path: Path) -> None:
    curl, python, javascript = pieces(api)
    token_file = Path(re.findall(r"its token is in (.*)\.$", api.printed, re.MULTILINE)[0])
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert token_file.parent.stat().st_mode & 0o777 == 0o700
    assert token_file.read_text().strip() == TOKEN
    assert TOKEN not in api.printed

    pasted(curl, tmp_path)
    client = Path(python_client("replicate-1", "").command("")[0])
    (tmp_path / "replicate-python").symlink_to(client.parent.parent)
    pasted(python, tmp_path)
    (tmp_path / "node_modules").symlink_to(javascript_clients().folder / "node_modules")
    pasted(javascript, tmp_path)

    for name in ("picture.0.webp", "bicycle.webp", "bike.webp"):
        assert (tmp_path / name).read_bytes()[8:12] == b"WEBP"


@pytest.mark.clients
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_readmes_snippet_saves_a_picture(api: Running, tmp_path: Path, language: str) -> None:
    (snippet,) = [each for each in blocks("README.md", language) if "replicate" in each]
    url = re.findall(r"The API is ready at (\S+);", api.printed)[0]
    file = tmp_path / {"python": "snippet.py", "javascript": "snippet.mjs"}[language]
    file.write_text(snippet.replace("http://127.0.0.1:8000", url))
    client = python_client("replicate-1", "") if language == "python" else javascript_clients()
    if language == "javascript":
        (tmp_path / "node_modules").symlink_to(client.folder / "node_modules")
    subprocess.run(
        [client.command("")[0], file.name],
        cwd=tmp_path,
        env=os.environ | {"REPLICATE_BASE_URL": url, "REPLICATE_API_TOKEN": TOKEN},
        check=True,
        timeout=60,
    )
    assert (tmp_path / "lighthouse.webp").read_bytes()[8:12] == b"WEBP"
