"""Several processes of the API on one Postgres and one store, and a Cog server for each worker."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.servers import PROJECT, Server, free_port
from dev.servers.api import Api, predictor_for_api

_NO_COG = "http://127.0.0.1:9"


@dataclass
class Cog:
    """A Cog server beside a worker, which may be killed and started again at its place."""

    worker_port: int
    outputs: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    server: Server | None = None
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Where its worker reaches it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        """Whether it has been started, and has not ended."""
        return self.server is not None and self.server.process.poll() is None

    def start(self) -> None:
        """Start it, and wait until it serves."""
        environment = {**self.environment, "PORT": str(self.port)}
        starting = predictor_for_api(self.worker_port, self.outputs, **environment)
        self.server = self._running.enter_context(starting)

    def kill(self) -> None:
        """End it as its container's death does: with all that it has started."""
        if self.server:
            with suppress(ProcessLookupError):
                os.killpg(self.server.process.pid, signal.SIGKILL)
            self.server.process.wait()
            self.stop()

    def stop(self) -> None:
        """End it in order."""
        self.server = None
        self._running.close()


@dataclass
class Cluster:
    """API processes, and workers with a Cog server each; any may be killed and started again."""

    apis: list[Api] = field(default_factory=list)
    workers: list[Api] = field(default_factory=list)
    cogs: list[Cog] = field(default_factory=list)

    def wait_until_ready(self) -> None:
        """Until every process says that a prediction would run."""
        for each in (*self.workers, *self.apis):
            assert each.server  # noqa: S101 - for mypy
            each.server.wait_until(each.is_ready)


@contextmanager
def cluster(
    folder: Path,
    settings: Mapping[str, str],
    for_cog: Mapping[str, str],
    *,
    apis: int,
    workers: int,
    checkout: Path = PROJECT,
    called: str = "worker",
) -> Iterator[Cluster]:
    """All of it, ready.

    Args:
        folder: where each process has a directory of its own.
        settings: of every process of the API: where they keep what they share.
        for_cog: the environment of the Cog servers.
        checkout: whose `api/` runs.
        called: what the workers' names begin with; no two workers may have the same.
    """
    running = Cluster()
    with ExitStack() as stack:
        for number in range(workers):
            name = f"{called}-{number}"
            outputs = folder / f"outputs-{name}"
            outputs.mkdir()
            cog = Cog(free_port(), outputs, for_cog)
            stack.callback(cog.stop)
            cog.start()
            running.cogs.append(cog)
            own = {"API_WORKER_NAME": name}
            worker = Api(
                folder / name, cog.url, cog.worker_port, outputs, settings={**settings, **own}
            )
            worker.command = ("-m", "api", "worker")
            running.workers.append(worker)
        for number in range(apis):
            data = folder / f"api-beside-{called}-{number}"
            api = Api(data, _NO_COG, 0, Path("/nowhere"), settings=dict(settings))
            api.command = ("-m", "api", "serve")
            running.apis.append(api)
        for each in (*running.workers, *running.apis):
            each.checkout = checkout
            stack.callback(each.kill)
            each.start(until_ready=False)
        running.wait_until_ready()
        yield running
