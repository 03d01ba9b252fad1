"""SQLite: one writer at a time, what counts on disk before it counts.

SQLite answers in the thread that asks, so it is asked in threads of ours, one hop each time. An
async driver hops a dozen times for each statement, and that was most of what a prediction cost.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event

from api.database import Database
from api.database.migrating import migrate

_READERS = 4
_BUSY_SECONDS = 10.0  # an admin command may hold the file for a moment

_Given = TypeVar("_Given")


class Sqlite(Database):
    """An SQLite file. Readers never wait for the writer (WAL)."""

    is_shared = False

    def __init__(self, file: Path) -> None:
        url = f"sqlite:///{file.resolve()}"
        arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
        self._writer = create_engine(url, pool_size=1, max_overflow=0, connect_args=arguments)
        self._readers = create_engine(
            url,
            pool_size=_READERS,
            max_overflow=0,
            connect_args=arguments,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(self._writer, "connect", _prepare_writer)
        event.listen(self._writer, "begin", _begin_immediate)
        # A single thread, so that transactions follow one another, whoever's turn it is.
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="database-reader")

    async def migrate(self) -> None:
        """See Database; creates the file."""

        def migrating() -> None:
            with self._writer.connect() as connection:
                migrate(connection)

        await _in(self._writer_thread, migrating)

    async def read(self, work: Callable[[Connection], _Given]) -> _Given:
        """See Database."""

        def reading() -> _Given:
            with self._readers.connect() as connection:
                return work(connection)

        return await _in(self._reader_threads, reading)

    async def write(
        self,
        work: Callable[[Connection], _Given],
        *,
        durable: bool = True,
        turn_of: str | None = None,
    ) -> _Given:
        """See Database; alone on the file from its start."""
        transaction = _Transaction(self._writer, work, durable)
        try:
            return await _in(self._writer_thread, transaction.run)
        except asyncio.CancelledError:
            transaction.is_abandoned = True
            raise

    async def is_alive(self, life: str) -> bool:
        """See Database: one process owns the file, so every other life is over."""
        return False

    async def close(self) -> None:
        """See Database."""
        for threads in (self._writer_thread, self._reader_threads):
            await asyncio.to_thread(threads.shutdown)
        self._writer.dispose()
        self._readers.dispose()


class _Transaction(Generic[_Given]):
    """A transaction in the writer's thread."""

    def __init__(self, writer: Engine, work: Callable[[Connection], _Given], durable: bool) -> None:
        self._writer = writer
        self._work = work
        self._durable = durable
        self.is_abandoned = False

    def run(self) -> _Given:
        with self._writer.connect().execution_options(durable=self._durable) as connection:
            given = self._work(connection)
            if not self.is_abandoned:
                connection.commit()
            return given


async def _in(threads: ThreadPoolExecutor, step: Callable[[], _Given]) -> _Given:
    return await asyncio.get_running_loop().run_in_executor(threads, step)


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
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    # A transaction that begins as a reader fails where another has written before it does.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
