"""The schema and what keeps it; what a transaction promises, on SQLite and on Postgres."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Executable, insert, select, text
from sqlalchemy.exc import OperationalError

from api.database import Connection, Database
from api.database.postgres import Postgres
from api.database.sqlite import Sqlite
from api.tables import metadata, tenants
from dev.servers.postgres import Postgres as PostgresServer
from tests.api.conftest import BOTH

pytestmark = pytest.mark.anyio


@pytest.fixture(params=BOTH)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    """Opens the same database each time."""
    if request.param == "sqlite":
        return lambda: Sqlite(tmp_path / "api.db")
    url = request.getfixturevalue("postgres").create_database()
    return lambda: Postgres(url, connections=4)


@pytest.fixture
async def database(opened: Callable[[], Database]) -> AsyncIterator[Database]:
    database = opened()
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    database = Sqlite(tmp_path / "api.db")
    await database.migrate()
    yield database
    await database.close()


async def test_the_migrations_lead_to_the_tables(database: Database) -> None:
    def differences(connection: Any) -> list[Any]:
        def is_here(item: Any, *_: object) -> bool:
            return bool(item.info.get("only", connection.dialect.name) == connection.dialect.name)

        context = MigrationContext.configure(connection, opts={"include_object": is_here})
        return list(compare_metadata(context, metadata))

    assert await database.read(differences) == []


async def test_a_commit_is_on_disk_before_it_counts(sqlite: Database) -> None:
    def promised(connection: Connection) -> list[Any]:
        asked = ("PRAGMA synchronous", "PRAGMA journal_mode")
        return [connection.execute(text(each)).scalar() for each in asked]

    assert await sqlite.write(promised) == [2, "wal"]  # 2 is FULL


async def test_only_what_a_power_cut_may_undo_is_not_waited_for(sqlite: Database) -> None:
    for durable in (False, True, False):
        found = await sqlite.write(_synchronous, durable=durable)
        assert found == (2 if durable else 1)


def _synchronous(connection: Connection) -> Any:
    return connection.execute(text("PRAGMA synchronous")).scalar()


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()


@pytest.mark.postgres
async def test_of_many_that_start_at_once_one_migrates(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    starting = [Postgres(url, connections=2) for _ in range(5)]
    await asyncio.gather(*(each.migrate() for each in starting))
    assert await _stored(starting[0]) == []
    for each in starting:
        await each.close()


async def test_what_a_newer_release_has_migrated_is_taken_as_it_is(database: Database) -> None:
    await _write(
        database,
        text("UPDATE alembic_version SET version_num = '9999'"),
        text("ALTER TABLE tenants ADD COLUMN newer VARCHAR"),
    )

    await database.migrate()

    await _write(database, _tenant("a"))
    assert await _stored(database) == ["a"]


async def test_transactions_of_one_name_run_one_after_the_other(database: Database) -> None:
    """As many as are counted before: none is counted twice."""

    def count_and_add(connection: Connection) -> None:
        count = len(connection.execute(select(tenants.c.name)).all())
        if database.is_shared:
            connection.execute(text("SELECT pg_sleep(0.01)"))
        connection.execute(_tenant(f"tenant-{count}"))

    await asyncio.gather(*(database.write(count_and_add, turn_of="count") for _ in range(8)))

    assert sorted(await _stored(database)) == [f"tenant-{number}" for number in range(8)]


@pytest.mark.postgres
async def test_a_nul_in_a_text_is_no_fault(postgres: PostgresServer) -> None:
    database = Postgres(postgres.create_database(), connections=2)
    await database.migrate()
    found = select(tenants.c.name).where(tenants.c.name == "a\x00b")
    assert await database.read(lambda connection: connection.execute(found).all()) == []
    await database.close()


@pytest.mark.postgres
async def test_a_restart_of_postgres_is_survived(postgres: PostgresServer) -> None:
    database = Postgres(postgres.create_database(), connections=2)
    await database.migrate()
    postgres.stop()
    with pytest.raises(OperationalError):
        await _stored(database)
    postgres.start()
    assert await _stored(database) == []
    await database.close()


def _tenant(name: str) -> Any:
    rest = {"role": "tenant", "webhook_secret": b"", "limits": {}, "created_at": 0}
    return insert(tenants).values(id=name, name=name, **rest)


async def _stored(database: Database) -> list[str]:
    found = select(tenants.c.name)
    return list(await database.read(lambda connection: connection.execute(found).scalars().all()))


async def _write(database: Database, *statements: Executable) -> None:
    def write(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await database.write(write)


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(_tenant("a"))
        _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    await _write(database, _tenant("b"))
    assert await _stored(database) == ["b"]


async def test_a_transaction_whose_task_is_cancelled_leaves_nothing(database: Database) -> None:
    for id in range(10):
        many = [_tenant(f"cancelled-{id}-{number}") for number in range(1000)]
        writing = asyncio.create_task(_write(database, *many))
        await asyncio.sleep(0.01)
        writing.cancel()
        await asyncio.wait([writing])
    await _write(database, _tenant("next"))
    assert await _stored(database) == ["next"]


async def test_who_reads_does_not_wait_for_the_writer_and_sees_what_is_committed(
    database: Database,
) -> None:
    written, read = threading.Event(), threading.Event()

    def write_slowly(connection: Connection) -> None:
        connection.execute(_tenant("a"))
        written.set()
        while not read.is_set():
            connection.execute(text("SELECT pg_sleep(0.01)" if database.is_shared else "SELECT 1"))

    writing = asyncio.create_task(database.write(write_slowly))
    try:
        assert await asyncio.to_thread(written.wait, 30)
        assert await _stored(database) == []
    finally:
        read.set()
        await writing
    assert await _stored(database) == ["a"]


async def test_the_event_loop_goes_on_while_another_process_holds_the_file(
    sqlite: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "api.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.create_task(_write(sqlite, _tenant("late")))
    longest = 0.0
    for _ in range(20):
        started = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - started)
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert longest < 8  # SQLite itself would wait for ten
    other.close()
