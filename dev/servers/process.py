"""One subprocess that serves on loopback, from its start until nothing of it is left."""

import atexit
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_WITHIN = 60.0  # seconds; a busy CI machine with two cores needs a few
STOP_WITHIN = 10.0  # seconds until SIGKILL


class ServerError(Exception):
    """A server did not come up: `reason` is one sentence, `log` what the server wrote."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(f"{reason} Its log:\n{log}" if log else reason)
        self.reason = reason
        self.log = log


class Server:
    """One subprocess in a session of its own, with the text it has written so far.

    `root` is `http://127.0.0.1:PORT`; `url` is what clients are given (the sandbox's ends in /v1).
    Unless `environment` names one, it gets a temporary directory of its own, which goes with it:
    several users of a machine do not meet there, and nothing is left behind.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        checkout: Path = PROJECT,
    ) -> None:
        self.name = name
        self.root = self.url = ""
        # A file and not a pipe: nothing has to read it, so a chatty server never blocks.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives until stop()
        self._final_log: str | None = None
        self._folder = tempfile.mkdtemp(prefix="gpt-image-2-")
        try:
            with _uninterrupted():
                self.process = subprocess.Popen(
                    command,
                    cwd=checkout,
                    env={**environment, "TMPDIR": self._temporary(environment)},
                    stdin=subprocess.DEVNULL,
                    stdout=self._output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                # For a Ctrl-C that comes before whoever asked for this server can stop it.
                atexit.register(self.stop)
        except OSError:
            self._output.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _temporary(self, environment: Mapping[str, str]) -> str:
        """The directory that was asked for; one that we have ourselves was not."""
        asked = environment.get("TMPDIR")
        return asked if asked and asked != os.environ.get("TMPDIR") else self._folder

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
            shutil.rmtree(self._folder, ignore_errors=True)
            atexit.unregister(self.stop)
        return code


def clean_environment(python: Path | str = sys.executable) -> dict[str, str]:
    """Our environment without OPENAI_* and proxy variables; `python`'s folder leads PATH.

    Python keeps its bytecode, whatever the shell says: a server that compiles all it imports takes
    two to four times as long to start (measured: 4.2 s instead of 1.5 s for the API).
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_")
        and not name.upper().endswith("_PROXY")
        and name != "PYTHONDONTWRITEBYTECODE"
    }
    kept["PATH"] = os.pathsep.join([str(Path(python).parent), kept.get("PATH", os.defpath)])
    return kept


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


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Holds Ctrl-C back until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which Python never interrupts
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
