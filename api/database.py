"""The database: one writer at a time, each transaction on disk before it counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_MIGRATIONS = Path(__file__).parent / "migrations"
_READERS = 4
_BUSY_SECONDS = 10.0  # an admin command may hold the file for a moment


class Database:
    """An SQLite file. Readers never wait for the writer (WAL)."""

    def __init__(self, file: Path) -> None:
        url = f"sqlite+aiosqlite:///{file.resolve()}"
        arguments = {"timeout": _BUSY_SECONDS}
        self._writer = create_async_engine(
            url, pool_size=1, max_overflow=0, pool_timeout=None, connect_args=arguments
        )
        self._readers = create_async_engine(
            url,
            pool_size=_READERS,
            max_overflow=0,
            pool_timeout=None,
            connect_args=arguments,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(self._writer.sync_engine, "connect", _prepare_writer)
        event.listen(self._writer.sync_engine, "begin", _begin_immediate)

    async def migrate(self) -> None:
        """Bring the schema up to date; creates the file. Losing a row is no migration's right."""
        async with self._writer.connect() as connection:
            await connection.run_sync(_migrate)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for SELECTs, each of which sees all that is committed."""
        async with self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, alone on the file from its start: what it reads stays true in it."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(self._writer.dispose(), self._readers.dispose())


def _prepare_writer(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI
    # The driver would begin transactions by itself, and later than we need them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # NORMAL can lose the last commits in a power cut: the note that a prediction was sent.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that begins as a reader fails where another has written before it does.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
