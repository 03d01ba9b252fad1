"""docs/sandbox.md: the sandbox starts as it says there, and answers the lines of curl."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import Server, clean_environment, free_port

from .blocks import blocks

PAGE = "docs/sandbox.md"
ADDRESS = "http://127.0.0.1:8080"
TOGETHER, START, GENERATE, LEDGER = blocks(PAGE, "sh")


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = clean_environment() | {"VENV": sys.prefix}
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = free_port()
    command = START.replace("8080", str(port)).replace(".venv/bin/python", f"'{sys.executable}'")
    environment = clean_environment() | {"PYTHONUNBUFFERED": "1"}
    server = Server("The sandbox", ["sh", "-c", f"exec env {command}"], environment)
    try:
        server.wait_until(lambda: "Sandbox ready at" in server.log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def test_the_line_of_curl_gets_a_picture_and_the_ledger_its_price(
    address: str, tmp_path: Path
) -> None:
    answer = json.loads(run(GENERATE.replace(ADDRESS, address), tmp_path).stdout)
    ledger = json.loads(run(LEDGER.replace(ADDRESS, address), tmp_path).stdout)

    assert answer["data"][0]["b64_json"]
    assert re.search(r'"cost_usd": ?0\.\d*[1-9]', json.dumps(ledger))


def test_what_is_not_run_here_is_what_other_tests_run() -> None:
    # tests/dev/test_runner.py asks for that failure, tests/dev/test_serve.py starts the server.
    predict, serve = TOGETHER.splitlines()
    assert predict == 'make predict PROMPT="A lighthouse [sandbox:moderation]"'
    assert serve == "SANDBOX_LATENCY=5 make serve"
