"""Several processes of the API on one Postgres and one store, and a Cog server for each worker."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.servers.api import Api, predictor_for_api
from dev.servers.process import Server, free_port

_NOWHERE = "http://127.0.0.1:9"  # a process that only takes requests asks no Cog server


@dataclass
class Cog:
    """A Cog server that may be killed and started again at its place, as its container would be."""

    worker_port: int
    outputs: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    server: Server | None = None
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Where its worker asks it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.stop()
        environment = dict(self.environment) | {"PORT": str(self.port)}
        serving = predictor_for_api(self.worker_port, self.outputs, **environment)
        self.server = self._running.enter_context(serving)

    def kill(self) -> None:
        """End it as a power cut would, its worker process included."""
        if self.server:
            with suppress(ProcessLookupError):
                os.killpg(self.server.process.pid, signal.SIGKILL)
            self.server.process.wait()

    def stop(self) -> None:
        """End it."""
        self._running.close()


@dataclass
class Cluster:
    """API processes, workers and their Cog servers; `workers[n]` stands beside `cogs[n]`."""

    settings: dict[str, str]
    apis: list[Api] = field(default_factory=list)
    workers: list[Api] = field(default_factory=list)
    cogs: list[Cog] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        """The database that all of them share."""
        return self.settings["API_DATABASE_URL"]

    def wait_until_ready(self) -> None:
        """Until each process that was started would take a prediction."""
        for each in (*self.apis, *self.workers):
            if each.server and each.server.process.poll() is None:
                each.server.wait_until(each.is_ready)


@contextmanager
def cluster(
    folder: Path,
    settings: Mapping[str, str],
    predictor: Mapping[str, str],
    *,
    apis: int,
    workers: int,
) -> Iterator[Cluster]:
    """All of it, ready.

    Args:
        folder: where each process keeps what is its own.
        settings: of every process; the database and the store among them.
        predictor: environment variables of each Cog server.
    """
    running = Cluster(dict(settings))
    with ExitStack() as stack:
        for number in range(workers):
            port, outputs = free_port(), folder / f"outputs-{number}"
            cog = Cog(port, outputs, predictor)
            stack.callback(cog.stop)
            cog.start()
            running.cogs.append(cog)
            data, own = folder / f"worker-{number}", {"API_WORKER_NAME": f"worker-{number}"}
            worker = Api(data, cog.url, port, outputs, settings=running.settings | own)
            worker.command = ("-m", "api", "worker")
            running.workers.append(worker)
        for number in range(apis):
            api = Api(folder / f"api-{number}", _NOWHERE, 0, folder, settings=running.settings)
            api.command = ("-m", "api", "serve")
            running.apis.append(api)
        for each in (*running.workers, *running.apis):
            stack.callback(each.kill)
            each.start(until_ready=False)
        running.wait_until_ready()
        yield running
