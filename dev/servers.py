"""Cog's server and the sandbox as subprocesses on loopback: for the runner, tests, benchmarks."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
READY_WITHIN = 60.0  # seconds; a busy CI machine with two cores needs a few
STOP_WITHIN = 10.0  # seconds until SIGKILL
PORT_ATTEMPTS = 5
PORT_TAKEN = "Address already in use"  # coglet's words


class ServerError(Exception):
    """A server did not come up: `reason` is one sentence, `log` what the server wrote."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(f"{reason} Its log:\n{log}" if log else reason)
        self.reason = reason
        self.log = log


class Server:
    """One subprocess in a session of its own, with the text it has written so far.

    `root` is `http://127.0.0.1:PORT`; `url` is what clients are given (the sandbox's ends in /v1).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path = PROJECT,
    ) -> None:
        self.name = name
        self.root = self.url = ""
        # A file and not a pipe: nothing has to read it, so a chatty server never blocks.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives until stop()
        self._final_log: str | None = None
        try:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except BaseException:
            self._output.close()
            raise

    @property
    def log(self) -> str:
        """All that the server has written so far; stays readable after stop()."""
        if self._final_log is not None:
            return self._final_log
        descriptor = self._output.fileno()
        # pread leaves the offset alone, which the server shares with us.
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], within: float = READY_WITHIN) -> None:
        """Poll `ready` until true; ServerError when the process ends or `within` seconds pass."""
        give_up = time.monotonic() + within
        while not ready():
            if self.process.poll() is not None:
                raise self.error(f"ended with code {self.process.returncode} before it was ready")
            if time.monotonic() > give_up:
                raise self.error(f"was not ready within {within:.0f} s")
            time.sleep(0.02)

    def error(self, reason: str) -> ServerError:
        return ServerError(f"{self.name} {reason}.", self.log.strip() or "(empty)")

    def stop(self, within: float = STOP_WITHIN) -> int:
        """End the process and all it started; the exit code of the process itself.

        SIGTERM goes to the process alone, so that it can drain; after `within` seconds, or when
        that wait is interrupted, SIGKILL goes to the whole session.
        """
        try:
            if self.process.poll() is None:
                self.process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(within)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
            if self._final_log is None:
                self._final_log = self.log
                self._output.close()
        return code


@contextmanager
def sandbox_server(python: Path | str = sys.executable, **environment: str) -> Iterator[Server]:
    """The stand-in for the OpenAI Images API on a free port; `environment` holds its SANDBOX_*."""
    own = {"SANDBOX_HOST": HOST, "SANDBOX_PORT": "0", "PYTHONUNBUFFERED": "1"}
    variables = clean_environment(python) | own | environment
    server = Server("The sandbox", [python, "-m", "sandbox"], variables)
    try:
        server.wait_until(lambda: _found_sandbox_address(server))
        yield server
    finally:
        server.stop()


@contextmanager
def predictor_server(
    *,
    arguments: Sequence[str] = (),
    python: Path | str = sys.executable,
    folder: Path | str = PROJECT,
    **environment: str,
) -> Iterator[Server]:
    """The predictor behind Cog's own HTTP server, with the committed schema, ready for requests.

    `arguments` go to `cog.server.http`; `environment` is added to the caller's, from which every
    OPENAI_* and proxy variable has been taken. Without a PORT in it a free one is picked. `folder`
    is a checkout of this project.
    """
    install_schema(Path(folder))
    server = _start_predictor(arguments, python, Path(folder), environment)
    try:
        yield server
    finally:
        server.stop()


def clean_environment(python: Path | str = sys.executable) -> dict[str, str]:
    """Our environment without OPENAI_* and proxy variables; `python`'s folder leads PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") and not name.upper().endswith("_PROXY")
    }
    kept["PATH"] = os.pathsep.join([str(Path(python).parent), kept.get("PATH", os.defpath)])
    return kept


def install_schema(folder: Path = PROJECT) -> None:
    """Copy openapi.json to where coglet looks for it; without that file it validates nothing."""
    committed, installed = folder / "openapi.json", folder / ".cog" / "openapi_schema.json"
    if not committed.is_file():
        raise ServerError("openapi.json is missing; `make openapi` writes it.")
    installed.parent.mkdir(exist_ok=True)
    # Several servers may start at once, and coglet must never read half a file.
    with tempfile.NamedTemporaryFile(dir=installed.parent, delete=False) as copy:
        copy.write(committed.read_bytes())
    Path(copy.name).chmod(0o644)
    shutil.move(copy.name, installed)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now; another process may still take it first."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def get(url: str, timeout: float = 5.0) -> tuple[int, bytes]:
    """Status and body of a GET to a loopback server, never through a proxy."""
    address, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _found_sandbox_address(server: Server) -> bool:
    ready = re.search(r"^Sandbox ready at (http://\S+)(/v1)$", server.log, re.MULTILINE)
    if ready:
        server.root, server.url = ready[1], ready[1] + ready[2]
    return ready is not None


def _start_predictor(
    arguments: Sequence[str], python: Path | str, folder: Path, environment: dict[str, str]
) -> Server:
    command = [python, "-m", "cog.server.http", "--host", HOST, *arguments]
    own = {"COG_PREDICT_TYPE_STUB": "predict.py:Predictor", "COG_MAX_CONCURRENCY": "32"}
    attempts_left = 1 if "PORT" in environment else PORT_ATTEMPTS
    while True:
        attempts_left -= 1
        own["PORT"] = str(free_port())  # coglet cannot pick one itself
        variables = clean_environment(python) | own | environment
        server = Server("Cog's server", command, variables, folder)
        server.root = server.url = f"http://{HOST}:{variables['PORT']}"
        try:
            server.wait_until(lambda: _predictor_is_ready(server))  # noqa: B023 - called at once
            return server
        except BaseException as failure:
            server.stop()
            port_was_taken = isinstance(failure, ServerError) and PORT_TAKEN in str(failure)
            if not (port_was_taken and attempts_left):
                raise


def _predictor_is_ready(server: Server) -> bool:
    try:
        _, body = get(f"{server.root}/health-check")
    except OSError:
        return False
    health = json.loads(body)
    if health["status"] == "SETUP_FAILED":
        raise server.error(f"failed in setup: {health['setup']['logs'].strip()}")
    if health["status"] != "READY" or server.process.poll() is not None:
        return False
    status, _ = get(f"{server.root}/openapi.json")
    if status != 200:
        raise server.error(f"has no schema (/openapi.json is {status}), so it would check no input")
    return True
