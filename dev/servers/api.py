"""The API as a subprocess on loopback, with the Cog server that it stands before."""

import http.client
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.servers import (
    EXACT,
    PROJECT,
    Server,
    ServerError,
    clean_environment,
    free_port,
    get,
    predictor_server,
)

FOR_THE_API = ("--await-explicit-shutdown", "true")
"""Without it a signal makes Cog forget what runs."""


@dataclass
class Api:
    """One API with its data; it can be stopped, killed and started again at the same address.

    `command` is what Python runs, by default the API itself, and `checkout` whose.
    """

    data: Path
    cog_url: str
    worker_port: int
    outputs: Path
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    python: Path | str = sys.executable
    command: tuple[str, ...] = ("-m", "api")
    checkout: Path = PROJECT
    server: Server | None = None

    @property
    def url(self) -> str:
        """Where callers reach it, without /v1."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The token of its first start."""
        return (self.data / "token").read_text().strip()

    def start(self, *command: str, until_ready: bool = True) -> Server:
        """Start it; with `command` something else in its place."""
        own = {
            "API_DATA_DIRECTORY": str(self.data),
            "API_PORT": str(self.port),
            "API_METRICS_PORT": str(self.metrics_port),
            "API_WORKER_PORT": str(self.worker_port),
            "API_COG_URL": self.cog_url,
            "API_COG_OUTPUT_DIRECTORY": str(self.outputs),
        }
        self.stop()
        environment = clean_environment(self.python) | own | self.settings
        command = command or self.command
        self.server = Server("The API", [self.python, *command], environment, self.checkout)
        if until_ready:
            try:
                self.server.wait_until(self.is_ready)
            except ServerError as error:
                if self.server.process.poll() is not None:
                    raise  # its own last words say why
                raise ServerError(f"{error.reason} {self._cogs_health()}", error.log) from None
        return self.server

    def _cogs_health(self) -> str:
        """What the Cog server behind it says, without which it does not get ready."""
        try:
            return f"Cog says: {get(f'{self.cog_url}/health-check')[1].decode()}"
        except OSError as error:
            return f"Cog does not answer: {error}"

    def is_ready(self) -> bool:
        """Whether a prediction sent now would run."""
        try:
            return get(f"{self.url}/health/ready")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.server:
            with suppress(ProcessLookupError):
                os.killpg(self.server.process.pid, signal.SIGKILL)
            self.server.process.wait()
            self.server.stop()

    def stop(self) -> None:
        """End it in order."""
        if self.server:
            self.server.stop()


@contextmanager
def predictor_for_api(
    worker_port: int,
    outputs: Path,
    *,
    python: Path | str = sys.executable,
    contract: str = EXACT,
    **environment: str,
) -> Iterator[Server]:
    """Cog's server as the API wants it: its outputs go to the worker's port."""
    upload = ("--upload-url", f"http://127.0.0.1:{worker_port}/outputs")
    environment["OUTPUT_DIRECTORY"] = str(outputs)
    with predictor_server(
        arguments=[*upload, *FOR_THE_API], python=python, contract=contract, **environment
    ) as server:
        try:
            yield server
        finally:
            with suppress(OSError):
                shut_down(server.url)


def shut_down(cog_url: str) -> None:
    """End a Cog server that heeds no signal."""
    host = cog_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("POST", "/shutdown")
        connection.getresponse()
    finally:
        connection.close()


@contextmanager
def api_before(
    cog: Server, worker_port: int, data: Path, outputs: Path, **settings: str
) -> Iterator[Api]:
    """The API before a Cog server, ready."""
    api = Api(data, cog.url, worker_port, outputs, settings=settings)
    try:
        api.start()
        yield api
    finally:
        api.stop()
