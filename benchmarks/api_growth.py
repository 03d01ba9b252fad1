"""What a prediction costs the database, by how many have ended: SQLite and Postgres in one run.

    python -m benchmarks.api_growth 1000 100000 1000000

Each size is a new database, filled with finished predictions; then predictions are accepted, taken,
noted as sent and ended, one after the other, by the API's own code. Cog is not asked.
"""

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from api.database import Connection, Database
from api.database.postgres import Postgres
from api.database.sqlite import Sqlite
from api.ids import new_id, now
from api.predictions.acceptance import Acceptance
from api.predictions.answers import Answers
from api.predictions.prediction import End, NewPrediction, State
from api.predictions.queue import MemoryQueue, Queue
from api.predictions.repeats import Repeats
from api.predictions.shared_queue import SharedQueue
from api.predictions.store import Store
from api.sealing import Keyring
from api.tables import predictions
from api.tenants import Limits, Tenants
from dev.servers.postgres import postgres_server

_MODEL = "openai/gpt-image-2"
_MEASURED = 200
_AT_ONCE = 2000


async def main() -> None:
    """Print a row for each database and size."""
    sizes = [int(each) for each in sys.argv[1:]] or [1000, 1_000_000]
    print(
        f"{'database':10} {'finished rows':>13} {'ms each, p50':>13} {'p99':>7} {'CPU ms each':>12}"
    )
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            sqlite = Sqlite(Path(folder) / f"{size}.db")
            for database in (sqlite, Postgres(server.create_database(), connections=4)):
                await database.migrate()
                await _measure(database, size)
                await database.close()


async def _measure(database: Database, size: int) -> None:
    tenants = Tenants(database, Keyring([b"k" * 32]))
    tenant = await tenants.by_token(await tenants.create_token("measured"))
    assert tenant
    await _fill(database, size, tenant.id, tenant.token_id)
    if database.is_shared:
        await database.write(lambda connection: connection.execute(text("ANALYZE predictions")))
    store = Store(database)
    queue: Queue = SharedQueue(store, [_MODEL], 0.0) if database.is_shared else MemoryQueue(store)
    took: list[float] = []
    acceptance = Acceptance(
        Repeats(database, Answers(store), "measured"),
        Keyring([b"k" * 32]),
        life="measured",
        default_seconds=3600,
        reserved_dollars=0.25,
    )
    began = time.process_time()
    for number in range(_MEASURED):
        started = time.perf_counter()
        new = NewPrediction(
            id=new_id(),
            tenant_id=tenant.id,
            token_id=tenant.token_id,
            model=_MODEL,
            version="v" * 64,
            origin="https://api.example.com",
            input={"prompt": "A lighthouse at dusk"},
            secrets={},
            request_hash=f"{number:064}",
        )
        accepted = await acceptance.accept(
            new, Limits(), began_at=now(), says_it_repeats=False, started_tag=0.0
        )
        queue.put(accepted.prediction)
        taken = await queue.take("worker")
        assert await store.note_sent(taken, "cog")
        assert await store.end_sent(taken, End(State.SUCCEEDED, output=[]), 0.01)
        took.append((time.perf_counter() - started) * 1000)
    cpu = (time.process_time() - began) / _MEASURED * 1000
    took.sort()
    name = "Postgres" if database.is_shared else "SQLite"
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(f"{name:10} {size:>13,} {p50:>13.1f} {p99:>7.1f} {cpu:>12.1f}", flush=True)


async def _fill(database: Database, size: int, tenant_id: str, token_id: str) -> None:
    for start in range(0, size, _AT_ONCE):
        rows = [
            {
                "id": new_id(),
                "tenant_id": tenant_id,
                "token_id": token_id,
                "model": _MODEL,
                "version": "v" * 64,
                "origin": "https://api.example.com",
                "input": {},
                "state": State.SUCCEEDED,
                "tag": 0.0,
                "created_at": now() - 86400 * 2,
                "sent_at": now() - 86400 * 2,
                "completed_at": now() - 86400 * 2,
                "deadline": now() - 86400,
                "webhook_events": [],
                "request_hash": "",
                "answer": "written",
                "accepted_by": "",
            }
            for _ in range(min(_AT_ONCE, size - start))
        ]
        await database.write(partial(_insert, rows), durable=False)


def _insert(rows: list[dict[str, Any]], connection: Connection) -> None:
    connection.execute(insert(predictions), rows)


if __name__ == "__main__":
    asyncio.run(main())
