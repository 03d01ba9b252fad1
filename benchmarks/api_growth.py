"""What a prediction costs the database, by how many have ended: SQLite and Postgres in one run.

    python -m benchmarks.api_growth 1000 100000 1000000

Each size is a new database, filled with finished predictions of one tenant. Then that tenant's
predictions are accepted, taken, noted as sent and ended, one after the other, by the API's own
code; Cog is not asked. CPU is this process's and, with Postgres, that of its processes too.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import insert

from api.database import Database
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
from api.tenants import Limits, Tenant, Tenants
from dev.servers.postgres import Postgres as PostgresServer
from dev.servers.postgres import postgres_server

_MODEL = "openai/gpt-image-2"
_WARMING, _MEASURED = 50, 500
_KEY = Keyring([b"k" * 32])
_EVERY = 0.3  # seconds between two finished predictions
_OWN = ("id", "request_hash", "created_at", "completed_at")
_COPIED = [column.name for column in predictions.c if column.name not in _OWN]


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one prediction."""

    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True)
class Place:
    """An empty database, and what is particular to its kind.

    `multiply` is given how many copies of the only row there shall be, `cpu` tells the seconds of
    CPU that were spent on it so far.
    """

    name: str
    database: Database
    multiply: Callable[[int], None]
    cpu: Callable[[], float]


async def main() -> None:
    """Print a row for each size and database, and how the cost has grown."""
    sizes = [int(each) for each in sys.argv[1:]] or [1000, 1_000_000]
    print(f"{'database':10} {'finished rows':>13} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8}")
    costs: dict[str, list[Cost]] = {}
    with postgres_server() as server:
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                for place in (_sqlite(Path(folder) / "api.db"), _postgres(server)):
                    cost = await _measure(place, size)
                    costs.setdefault(place.name, []).append(cost)
                    figures = f"{cost.p50:>8.1f} {cost.p99:>8.1f} {cost.cpu:>8.1f}"
                    print(f"{place.name:10} {size:>13,} {figures}", flush=True)
    for name, each in costs.items():
        grown = f"p50 x {each[-1].p50 / each[0].p50:.2f}, CPU x {each[-1].cpu / each[0].cpu:.2f}"
        print(f"{name}, from {sizes[0]:,} to {sizes[-1]:,}: {grown}")


def _sqlite(file: Path) -> Place:
    numbers = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT ?)"

    def multiply(copies: int) -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"{numbers} {_copying('lower(hex(randomblob(13)))')}", [copies])

    return Place("SQLite", Sqlite(file), multiply, time.process_time)


def _postgres(server: PostgresServer) -> Place:
    url = server.create_database()
    numbers = "WITH number AS (SELECT generate_series(1, %s) AS n)"

    def multiply(copies: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            # Nobody is told of what has long ended.
            connection.execute("ALTER TABLE predictions DISABLE TRIGGER USER")
            copying = _copying("left(md5(random()::text), 26)")
            connection.execute(f"{numbers} {copying}".encode(), [copies])
            connection.execute("ALTER TABLE predictions ENABLE TRIGGER USER")
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def cpu() -> float:
        assert server.server
        return time.process_time() + sum(_times(server.server.process.pid))

    return Place("Postgres", Postgres(url, connections=4), multiply, cpu)


def _times(parent: int) -> list[float]:
    """The CPU of each process that it has started."""
    times = []
    for process in psutil.Process(parent).children():
        with suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            times.append(spent.user + spent.system)
    return times


def _copying(new_id: str) -> str:
    columns = ", ".join((*_OWN, *_COPIED))
    earlier = f"created_at - n * {_EVERY}, completed_at - n * {_EVERY}"
    own = f"{new_id}, CAST(n AS text), {earlier}"
    copied = f"SELECT {own}, {', '.join(_COPIED)} FROM predictions, number"  # noqa: S608
    return f"INSERT INTO predictions ({columns}) {copied}"


async def _measure(place: Place, size: int) -> Cost:
    database = place.database
    await database.migrate()
    tenants = Tenants(database, _KEY)
    tenant = await tenants.by_token(await tenants.create_token("measured"))
    assert tenant
    await _store_one(database, tenant)
    place.multiply(size - 1)
    store = Store(database)
    queue: Queue = SharedQueue(store) if database.is_shared else MemoryQueue(store)
    acceptance = Acceptance(
        Repeats(database, Answers(store), "measured"),
        _KEY,
        life="measured",
        default_seconds=3600,
        reserved_dollars=0.25,
    )
    for _ in range(_WARMING):
        await _run_one(acceptance, store, queue, tenant)
    before = place.cpu()
    took = sorted([await _run_one(acceptance, store, queue, tenant) for _ in range(_MEASURED)])
    cpu = (place.cpu() - before) / _MEASURED * 1000
    await database.close()
    return Cost(took[_MEASURED // 2] * 1000, took[_MEASURED * 99 // 100] * 1000, cpu)


async def _run_one(acceptance: Acceptance, store: Store, queue: Queue, tenant: Tenant) -> float:
    """Seconds from before it is accepted until it has ended."""
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
        request_hash=new_id(),
    )
    accepted = await acceptance.accept(
        new, Limits(), began_at=now(), says_it_repeats=False, started_tag=0.0
    )
    queue.put(accepted.prediction)
    taken = await queue.take("worker", _MODEL)
    assert await store.note_sent(taken, "cog")
    assert await store.end_sent(taken, End(State.SUCCEEDED, output=[]), 0.01)
    return time.perf_counter() - started


async def _store_one(database: Database, tenant: Tenant) -> None:
    """A finished prediction, of two days ago."""
    at = now() - 86400 * 2
    row = {
        "id": new_id(),
        "tenant_id": tenant.id,
        "token_id": tenant.token_id,
        "model": _MODEL,
        "version": "v" * 64,
        "origin": "https://api.example.com",
        "input": {"prompt": "A lighthouse at dusk"},
        "state": State.SUCCEEDED,
        "tag": 0.0,
        "created_at": at,
        "sent_at": at,
        "completed_at": at,
        "deadline": at + 3600,
        "webhook_events": [],
        "request_hash": "",
        "answer": "written",
        "accepted_by": "",
        "output": ["stored:" + "0" * 26],
        "dollars": 0.01,
    }
    await database.write(lambda connection: connection.execute(insert(predictions).values(row)))


if __name__ == "__main__":
    asyncio.run(main())
