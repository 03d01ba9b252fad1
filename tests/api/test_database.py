"""The schema and what keeps it; what a transaction promises."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from api.database import Database
from api.tables import metadata, tenants

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "api.db")
    await database.migrate()
    yield database
    await database.close()


async def test_the_migrations_lead_to_the_tables(database: Database) -> None:
    def differences(connection: Any) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.run(differences) == []


async def test_a_commit_is_on_disk_before_it_counts(database: Database) -> None:
    async with database.write() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2  # FULL
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


async def test_only_what_a_power_cut_may_undo_is_not_waited_for(database: Database) -> None:
    for durable in (False, True, False):
        async with database.write(durable=durable) as connection:
            found = await connection.execute(text("PRAGMA synchronous"))
            assert found.scalar() == (2 if durable else 1)


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()


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
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "api.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.write() as connection:
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
