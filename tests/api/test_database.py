"""The schema and what keeps it; what a transaction promises, on SQLite and on Postgres."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError

from api.database import Database
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

    assert await database.run(differences) == []


async def test_a_commit_is_on_disk_before_it_counts(sqlite: Database) -> None:
    async with sqlite.write() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2  # FULL
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


async def test_only_what_a_power_cut_may_undo_is_not_waited_for(sqlite: Database) -> None:
    for durable in (False, True, False):
        async with sqlite.write(durable=durable) as connection:
            found = await connection.execute(text("PRAGMA synchronous"))
            assert found.scalar() == (2 if durable else 1)


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
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(text("ALTER TABLE tenants ADD COLUMN newer VARCHAR"))

    await database.migrate()

    async with database.write() as connection:
        await connection.execute(_tenant("a"))
    assert await _stored(database) == ["a"]


async def test_transactions_of_one_name_run_one_after_the_other(database: Database) -> None:
    """As many as are counted before: none is counted twice."""

    async def count_and_add() -> None:
        async with database.write(turn_of="count") as connection:
            count = len((await connection.execute(select(tenants.c.name))).all())
            await asyncio.sleep(0.01)
            await connection.execute(_tenant(f"tenant-{count}"))

    await asyncio.gather(*(count_and_add() for _ in range(8)))

    assert sorted(await _stored(database)) == [f"tenant-{number}" for number in range(8)]


@pytest.mark.postgres
async def test_a_nul_in_a_text_is_no_fault(postgres: PostgresServer) -> None:
    database = Postgres(postgres.create_database(), connections=2)
    await database.migrate()
    async with database.read() as connection:
        found = select(tenants.c.name).where(tenants.c.name == "a\x00b")
        assert (await connection.execute(found)).all() == []
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
    async with database.read() as connection:
        return list((await connection.execute(select(tenants.c.name))).scalars())


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await connection.execute(_tenant("a"))
            _ = 1 / 0
    async with database.write() as connection:
        await connection.execute(_tenant("b"))
    assert await _stored(database) == ["b"]


async def test_a_transaction_whose_task_is_cancelled_leaves_nothing(database: Database) -> None:
    async def write(id: str, statements: int) -> None:
        async with database.write() as connection:
            for number in range(statements):
                await connection.execute(_tenant(f"{id}-{number}"))

    for id in range(10):
        writing = asyncio.create_task(write(f"cancelled-{id}", 1000))
        await asyncio.sleep(0.01)
        writing.cancel()
        await asyncio.wait([writing])
    await write("next", 1)
    assert await _stored(database) == ["next-0"]


async def test_who_reads_does_not_wait_for_the_writer_and_sees_what_is_committed(
    database: Database,
) -> None:
    async with database.write() as connection:
        await connection.execute(_tenant("a"))
        assert await _stored(database) == []
    assert await _stored(database) == ["a"]


async def test_the_event_loop_goes_on_while_another_process_holds_the_file(
    sqlite: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "api.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with sqlite.write() as connection:
            await connection.execute(_tenant("late"))

    writing = asyncio.create_task(write())
    longest = 0.0
    for _ in range(20):
        started = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - started)
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert longest < 0.15
    other.close()
