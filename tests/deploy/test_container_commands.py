"""The health check and the stop hook of deploy/, on a server that runs as it does there."""

import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from dev.servers import (
    HOST,
    PROJECT,
    Server,
    clean_environment,
    free_port,
    install_schema,
    sandbox_server,
)
from dev.servers.predictor import share_cogs_folder
from gpt_image.container.in_flight import InFlight, anything_runs
from tests.support.loopback import webhook_receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

EXPLICIT = ("--await-explicit-shutdown", "true")
DEADLINE = 300  # seconds; far more than any test here takes


@contextmanager
def server(**environment: str) -> Iterator[Server]:
    """Cog's server as in deploy/, once it has got through its setup, well or not."""
    install_schema()
    share_cogs_folder()
    own = {"COG_PREDICT_TYPE_STUB": "predict.py:Predictor", "COG_MAX_CONCURRENCY": "4"}
    own |= {"PORT": str(free_port()), "OPENAI_DEADLINE_SECONDS": str(DEADLINE)}
    command = [sys.executable, "-m", "cog.server.http", "--host", HOST, *EXPLICIT]
    process = Server("Cog's server", command, clean_environment() | own | environment)
    process.root = process.url = f"http://{HOST}:{own['PORT']}"
    try:
        process.wait_until(lambda: status(process) not in {"", "STARTING"})
        yield process
    finally:
        process.stop()


def status(server: Server) -> str:
    try:
        return str(requests.get(f"{server.root}/health-check", timeout=60).json()["status"])
    except requests.ConnectionError:
        return ""


def command(name: str, server: Server, *arguments: str) -> "subprocess.Popen[bytes]":
    """A command of the container's, in the server's own environment as `docker exec` gives it."""
    environment = psutil.Process(server.process.pid).environ()
    return subprocess.Popen(
        [sys.executable, "-m", f"gpt_image.container.{name}", *arguments],
        cwd=PROJECT,
        env=environment,
        stderr=subprocess.PIPE,
    )


def drain(server: Server) -> "subprocess.Popen[bytes]":
    return command("drain", server, "--pid", str(server.process.pid), "--quiet-for", "2")


def ends(process: "subprocess.Popen[bytes]", within: float) -> int:
    process.communicate(timeout=within)
    return process.returncode


def start_prediction(server: Server, webhook: str, **inputs: object) -> None:
    body = {"input": inputs, "webhook": webhook, "webhook_events_filter": ["completed"]}
    headers = {"Prefer": "respond-async"}
    answer = requests.post(f"{server.root}/predictions", json=body, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text


def test_the_hook_does_not_wait_when_nothing_runs() -> None:
    with server() as idle:
        assert ends(drain(idle), within=DEADLINE / 5) == 0
        assert idle.process.wait(60) == 0


def test_the_hook_waits_for_an_asynchronous_prediction_and_its_webhook() -> None:
    with (
        sandbox_server() as sandbox,
        webhook_receiver() as webhooks,
        server(OPENAI_PROXY_URL=sandbox.url) as busy,
    ):
        start_prediction(busy, webhooks.url, prompt="x [sandbox:slow seconds=4]")
        time.sleep(0.5)
        assert ends(drain(busy), within=60) == 0
        assert busy.process.wait(60) == 0
        assert [body["status"] for body in webhooks.bodies] == ["succeeded"]


def test_a_prediction_is_seen_also_while_it_has_no_connection() -> None:
    # Between two tries there is none; the lock is what is seen then.
    with (
        sandbox_server(SANDBOX_LATENCY="5") as sandbox,
        webhook_receiver() as webhooks,
        server(OPENAI_PROXY_URL=sandbox.url) as busy,
    ):
        assert not seen_by_its_lock(busy)
        start_prediction(busy, webhooks.url, prompt="x")
        wait_until(lambda: seen_by_its_lock(busy))
        webhooks.wait_for_count(1)
        assert not seen_by_its_lock(busy)


def seen_by_its_lock(server: Server) -> bool:
    script = "from gpt_image.container.in_flight import anything_runs; print(anything_runs())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=psutil.Process(server.process.pid).environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "True"


def test_the_hook_waits_while_an_input_is_being_fetched() -> None:
    with (
        hangs_up_after(4) as address,
        webhook_receiver() as webhooks,
        server() as fetching,
    ):
        start_prediction(fetching, webhooks.url, prompt="x", input_images=[address])
        time.sleep(0.5)
        hook = drain(fetching)
        assert ends(hook, within=60) == 0
        assert [body["status"] for body in webhooks.bodies] == ["failed"]


@contextmanager
def hangs_up_after(seconds: float) -> Iterator[str]:
    """An address that takes a request and says nothing for a while."""
    with socket.create_server((HOST, 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                time.sleep(seconds)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://{HOST}:{listening.getsockname()[1]}/image.png"
        thread.join()


def test_the_check_ends_a_server_whose_settings_are_wrong() -> None:
    with server(OPENAI_PROXY_URL="gateway") as broken:
        assert status(broken) == "SETUP_FAILED"
        check = command("health", broken, "--end", str(broken.process.pid))
        _, said = check.communicate(timeout=60)
        assert check.returncode == 1
        assert b"OPENAI_PROXY_URL: must be a URL such as" in said
        assert broken.process.wait(60) == -signal.SIGINT


def test_the_check_ends_a_server_whose_worker_has_crashed() -> None:
    with server() as crashed:
        assert ends(command("health", crashed, "--end", "0"), within=60) == 0
        for worker in psutil.Process(crashed.process.pid).children():
            worker.kill()
        wait_until(lambda: ends(command("health", crashed), within=60) == 1)
        assert crashed.process.poll() is None
        check = command("health", crashed, "--end", str(crashed.process.pid))
        assert ends(check, within=60) == 1
        assert crashed.process.wait(60) == -signal.SIGINT


def test_what_cannot_be_known_counts_as_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert anything_runs()
    in_flight = InFlight()
    assert not anything_runs()
    with in_flight.one(), in_flight.one():
        assert anything_runs()
    assert not anything_runs()
