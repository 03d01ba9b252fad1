"""The installation that lives the day: real processes, all on this machine."""

import base64
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks.api_bench.api_server import UNLIMITED
from benchmarks.api_day.meter import Meter
from benchmarks.api_day.plan import BATCH, SHOP
from dev.servers import PROJECT, Server, clean_environment, sandbox_server
from dev.servers.cluster import Cluster, cluster
from dev.servers.object_store import ObjectStore, object_store
from dev.servers.postgres import Postgres, postgres_server

APIS, WORKERS, SLOTS = 2, 2, 32
PREDICTOR_DEADLINE = 15  # seconds
_SHARED = {
    "API_PRIVATE_NETWORKS": '["127.0.0.0/8"]',  # webhooks come back to this machine
    "API_COG_LOST_SECONDS": "10",
    "API_COG_SLOTS": str(SLOTS),
    "API_DEADLINE_SECONDS": "240",
}


@dataclass(frozen=True)
class Installation:
    """Everything that runs, and who may ask it."""

    cluster: Cluster
    postgres: Postgres
    store: ObjectStore
    sandbox: Server
    database_url: str
    """Which the processes share."""
    tokens: Mapping[str, str]
    """By tenant."""

    def meter(self) -> Meter:
        """Of all its parts."""
        return Meter(self._processes, self.database_url)

    def _processes(self) -> dict[str, Sequence[int]]:
        of_parts: dict[str, list[Server | None]] = {
            "API": [api.server for api in self.cluster.apis],
            "worker": [worker.server for worker in self.cluster.workers],
            "Cog server": [cog.server for cog in self.cluster.cogs],
            "Postgres": [self.postgres.server],
            "store": [self.store.server],
            "sandbox": [self.sandbox],
        }
        return {
            part: [server.process.pid for server in servers if server]
            for part, servers in of_parts.items()
        }


@contextmanager
def installation(**account: str) -> Iterator[Installation]:
    """Two APIs, two workers with their Cog servers, Postgres, a store and the sandbox, ready.

    Args:
        account: settings of the sandbox that limit the account which everybody shares.

    Raises:
        NoPostgres, NoObjectStore: that program is not there.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres_server() as postgres,
        object_store() as store,
        sandbox_server(SANDBOX_PRERENDERED="true", SANDBOX_GRAIN="true", **account) as sandbox,
    ):
        shared = _SHARED | {
            "API_DATABASE_URL": postgres.create_database(),
            "API_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "API_FILES": store.create_bucket("files"),
        }
        predictor = {
            "OPENAI_PROXY_URL": sandbox.url,
            "OPENAI_DEADLINE_SECONDS": str(PREDICTOR_DEADLINE),
            "COG_MAX_CONCURRENCY": str(SLOTS),
        }
        settings = shared | store.variables
        with cluster(Path(folder), settings, predictor, apis=APIS, workers=WORKERS) as running:
            tokens = {tenant: _token(settings, tenant) for tenant in (SHOP, BATCH)}
            url = settings["API_DATABASE_URL"]
            with psycopg.connect(url) as connection:
                unlimited = json.dumps(asdict(UNLIMITED))
                connection.execute("UPDATE tenants SET limits = %s", [unlimited])
            yield Installation(running, postgres, store, sandbox, url, tokens)


def _token(settings: Mapping[str, str], tenant: str) -> str:
    with tempfile.TemporaryDirectory() as data:
        own = {"API_DATA_DIRECTORY": data}
        made = subprocess.run(
            [sys.executable, "-m", "api", "token", "create", tenant],
            cwd=PROJECT,
            env={**clean_environment(), **settings, **own},
            capture_output=True,
            text=True,
            check=True,
        )
    return made.stdout.strip()
