"""The schema and what keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from api.database import Database
from api.tables import metadata

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

    async with database.write() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_commit_is_on_disk_before_it_counts(database: Database) -> None:
    async with database.write() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2  # FULL
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()
