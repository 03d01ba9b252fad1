"""Several processes of the API on one Postgres and one store, and a Cog server for each worker."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev.servers import Server, free_port
from dev.servers.api import Api, predictor_for_api
from tests.api.conftest import LOOPBACK_ALLOWED, Kept
from tests.api.replicate_caller import ReplicateCaller

TOKEN = "a-token-of-the-cluster-tests-0123456789"


@dataclass
class Cluster:
    """API processes and workers, each of which may be killed and started again at its place."""

    settings: dict[str, str]
    apis: list[Api] = field(default_factory=list)
    workers: list[Api] = field(default_factory=list)

    def caller(self, number: int, token: str = TOKEN) -> ReplicateCaller:
        """Of one of the API processes."""
        return ReplicateCaller(self.apis[number].url, token)

    @property
    def database_url(self) -> str:
        return self.settings["API_DATABASE_URL"]


@contextmanager
def cluster(
    folder: Path, kept: Kept, sandbox: Server, *, apis: int, workers: int, **settings: str
) -> Iterator[Cluster]:
    shared = kept.settings | {
        "API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED,
        "API_COG_LOST_SECONDS": "6",
        "API_COG_WORD_SECONDS": "60",
        "API_COG_SLOTS": "4",
        "API_TOKEN": TOKEN,
    }
    running = Cluster(shared | settings)
    with ExitStack() as stack:
        for number in range(workers):
            port, outputs = free_port(), folder / f"outputs-{number}"
            outputs.mkdir()
            upstream = {"OPENAI_PROXY_URL": sandbox.url, "OPENAI_DEADLINE_SECONDS": "30"}
            cog = stack.enter_context(predictor_for_api(port, outputs, **upstream))
            own = {"API_WORKER_NAME": f"worker-{number}"}
            running.workers.append(
                Api(
                    folder / f"worker-{number}",
                    cog.url,
                    port,
                    outputs,
                    settings=running.settings | own,
                    command=("-m", "api", "worker"),
                )
            )
        for number in range(apis):
            nowhere = Path("/nowhere")
            api = Api(folder / f"api-{number}", "http://127.0.0.1:9", 0, nowhere)
            api.settings, api.command = running.settings, ("-m", "api", "serve")
            running.apis.append(api)
        for each in (*running.workers, *running.apis):
            stack.callback(each.kill)
            each.start(until_ready=False)
        for each in (*running.workers, *running.apis):
            assert each.server
            each.server.wait_until(each.is_ready)
        yield running
