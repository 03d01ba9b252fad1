"""A cluster of the API's processes as tests call it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev.servers import PROJECT, Server
from dev.servers import cluster as servers
from tests.api.conftest import LOOPBACK_ALLOWED
from tests.api.kept import Kept, on_one_machine
from tests.api.replicate_caller import ReplicateCaller

TOKEN = "a-token-of-the-cluster-tests-0123456789"
SLOTS = 4  # of each worker


@dataclass
class Cluster(servers.Cluster):
    kept: Kept = field(default_factory=on_one_machine)

    def caller(self, number: int, token: str = TOKEN) -> ReplicateCaller:
        """Of one of the API processes."""
        return ReplicateCaller(self.apis[number].url, token)

    @property
    def database_url(self) -> str:
        return self.kept.settings["API_DATABASE_URL"]


@contextmanager
def cluster(
    folder: Path,
    kept: Kept,
    sandbox: Server,
    *,
    apis: int,
    workers: int,
    checkout: Path = PROJECT,
    called: str = "worker",
    settings: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """See dev/servers/cluster.py; `settings` are more variables of every process of the API."""
    of_all = kept.settings | {
        "API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED,
        "API_COG_LOST_SECONDS": "6",
        "API_COG_WORD_SECONDS": "60",
        "API_COG_SLOTS": str(SLOTS),
        "API_TOKEN": TOKEN,
        **(settings or {}),
    }
    for_cog = {"OPENAI_PROXY_URL": sandbox.url, "OPENAI_DEADLINE_SECONDS": "30"}
    with servers.cluster(
        folder,
        of_all,
        for_cog,
        apis=apis,
        workers=workers,
        checkout=checkout,
        called=called,
    ) as running:
        yield Cluster(running.apis, running.workers, running.cogs, kept)
