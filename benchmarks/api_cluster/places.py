"""The processes that are measured, and what asks them."""

import base64
import http.client
import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dev.servers import sandbox_server
from dev.servers.api import Api
from dev.servers.cluster import Cluster, cluster
from dev.servers.object_store import object_store
from dev.servers.postgres import postgres_server

TOKEN = "a-token-of-the-benchmarks-0123456789"
PATH = "/v1/models/openai/gpt-image-2/predictions"


@dataclass(frozen=True)
class Places:
    """A cluster, and the database that it shares."""

    cluster: Cluster
    database_url: str
    key: bytes
    """Under which it keeps secrets."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the query finds in the database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()


@contextmanager
def places(*, apis: int, workers: int, slots: int) -> Iterator[Places]:
    """All of it before a sandbox, ready; Postgres writes to the disk as it does for a user."""
    key = secrets.token_bytes(32)
    with (
        sandbox_server(SANDBOX_PRERENDERED="true") as sandbox,
        postgres_server() as postgres,
        object_store() as store,
        tempfile.TemporaryDirectory() as folder,
    ):
        url = postgres.create_database()
        settings = store.variables | {
            "API_DATABASE_URL": url,
            "API_FILES": store.create_bucket("files"),
            "API_ENCRYPTION_KEYS": base64.b64encode(key).decode(),
            "API_TOKEN": TOKEN,
            "API_COG_SLOTS": str(slots),
        }
        for_cog = {"OPENAI_PROXY_URL": sandbox.url, "COG_MAX_CONCURRENCY": str(slots)}
        with cluster(Path(folder), settings, for_cog, apis=apis, workers=workers) as running:
            yield Places(running, url, key)


def create(api: Api, prompt: str, *, token: str = TOKEN, **headers: str) -> dict[str, Any]:
    """The prediction as the API shows it in its answer."""
    headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    try:
        connection.request("POST", PATH, json.dumps({"input": {"prompt": prompt}}), headers)
        answer = connection.getresponse()
        body: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 201, body
        return body
    finally:
        connection.close()


def tell(what: str, seconds: Sequence[float]) -> None:
    """Print how long it took, in the middle and at worst."""
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    figures = f"p50 {p50 * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms"
    print(f"{what:40} {figures}   longest {ordered[-1] * 1000:.1f} ms, of {len(ordered)}")
