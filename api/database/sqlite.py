"""SQLite: one writer at a time, and what matters is on disk before anybody acts on it.

SQLite answers in the thread that asks, so it is asked in threads of ours, one hop each time. An
async driver hops a dozen times for each statement, and that was most of what a prediction cost.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event

from api.database import Database
from api.database.migrating import migrate
from api.database.threads import Step, Threads

_READERS = 4
_BUSY_SECONDS = 10.0  # an admin command may hold the file for a moment

_Given = TypeVar("_Given")


class Sqlite(Database):
    """An SQLite file. Readers never wait for the writer (WAL)."""

    is_shared = False

    def __init__(self, file: Path) -> None:
        url = f"sqlite:///{file.resolve()}"
        arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
        writer = create_engine(url, pool_size=1, max_overflow=0, connect_args=arguments)
        readers = create_engine(
            url,
            pool_size=_READERS,
            max_overflow=0,
            connect_args=arguments,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(writer, "connect", _prepare_writer)
        event.listen(writer, "begin", _begin_immediate)
        # A single thread, so that transactions follow one another, whoever's turn it is.
        self._writer = Threads(writer, 1, "database-writer")
        self._readers = Threads(readers, _READERS, "database-reader")

    async def migrate(self) -> None:
        """See Database; creates the file."""
        await self._writer.run(lambda connection, _: migrate(connection))

    async def read(self, work: Callable[[Connection], _Given]) -> _Given:
        """See Database."""
        return await self._readers.run(lambda connection, _: work(connection))

    async def write(
        self,
        work: Callable[[Connection], _Given],
        *,
        durable: bool = True,
        turn_of: str | None = None,
    ) -> _Given:
        """See Database; alone on the file from its start."""

        def transaction(connection: Connection, step: Step[_Given]) -> _Given:
            with connection.execution_options(durable=durable).begin() as begun:
                given = work(connection)
                if step.is_abandoned:
                    begun.rollback()
                return given

        return await self._writer.run(transaction)

    async def is_alive(self, life: str) -> bool:
        """See Database: one process owns the file, so every other life is over."""
        return False

    async def close(self) -> None:
        """See Database."""
        await self._writer.close()
        await self._readers.close()


def _prepare_writer(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI
    # The driver would begin transactions by itself, and later than we need them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    durable = connection.get_execution_options().get("durable", True)
    # NORMAL can lose the last commits in a power cut, such as the note that a prediction was sent.
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    # A transaction that begins as a reader fails where another has written before it does.
    driver.execute("BEGIN IMMEDIATE")
