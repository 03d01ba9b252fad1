"""SQLite: one writer at a time, and what matters is on disk before anybody acts on it.

SQLite answers in the thread that asks, so statements run in threads of ours, one hop each. An
async driver hops a dozen times for each of them, and that was most of what a prediction cost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, overload

import sqlalchemy
from sqlalchemy import Engine, Executable, Result, create_engine, event
from sqlalchemy.sql.selectable import TypedReturnsRows

from api.database import Connection, Database, Rows, Values
from api.database.migrating import migrate

_READERS = 4
_BUSY_SECONDS = 10.0  # an admin command may hold the file for a moment

_Row = TypeVarTuple("_Row")
_Given = TypeVar("_Given")
_Ask = Callable[[Executable, Values], Rows]


class _Connection:
    """Runs statements one after the other, off the event loop."""

    def __init__(self, threads: ThreadPoolExecutor, ask: _Ask) -> None:
        self._threads = threads
        self._ask = ask

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Row], values: Values = None
    ) -> Result[*_Row]: ...

    @overload
    async def execute(self, statement: Executable, values: Values = None) -> Rows: ...

    async def execute(self, statement: Executable, values: Values = None) -> Rows:
        """See Connection."""
        return await _in(self._threads, lambda: self._ask(statement, values))


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
        self._writing = asyncio.Lock()
        # A single thread: whatever becomes of those who wait, its steps stay in their order.
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="database-reader")
        self._reader = _Connection(self._reader_threads, self._read)

    async def migrate(self) -> None:
        """See Database; creates the file."""
        await self.run(migrate)

    async def run(self, work: Callable[[sqlalchemy.Connection], _Given]) -> _Given:
        """See Database; in the writer's thread, on its connection."""

        def working() -> _Given:
            with self._writer.connect() as connection:
                return work(connection)

        async with self._writing:
            return await _in(self._writer_thread, working)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """See Database."""
        yield self._reader

    @asynccontextmanager
    async def write(
        self, *, durable: bool = True, turn_of: str | None = None
    ) -> AsyncIterator[Connection]:
        """See Database; alone on the file from its start, whoever's turn it is."""
        async with self._writing:
            transaction = _Transaction(self._writer, durable)
            try:
                yield _Connection(self._writer_thread, transaction.ask)
            except BaseException:
                await _in(self._writer_thread, transaction.roll_back)
                raise
            await _in(self._writer_thread, transaction.commit)

    async def is_alive(self, connection: Connection, life: str) -> bool:
        """See Database: one process owns the file, so every other life is over."""
        return False

    async def close(self) -> None:
        """See Database."""
        for threads in (self._writer_thread, self._reader_threads):
            await asyncio.to_thread(threads.shutdown)
        self._writer.dispose()
        self._readers.dispose()

    def _read(self, statement: Executable, values: Values) -> Rows:
        with self._readers.connect() as connection:
            return _all_of(connection, statement, values)


class _Transaction:
    """A transaction in the writer's thread; it begins with its first statement."""

    def __init__(self, writer: Engine, durable: bool) -> None:
        self._writer = writer
        self._durable = durable
        self._connection: sqlalchemy.Connection | None = None

    def ask(self, statement: Executable, values: Values) -> Rows:
        if self._connection is None:
            self._connection = self._writer.connect().execution_options(durable=self._durable)
        return _all_of(self._connection, statement, values)

    def commit(self) -> None:
        if self._connection:
            with self._connection:
                self._connection.commit()

    def roll_back(self) -> None:
        if self._connection:
            self._connection.close()


async def _in(threads: ThreadPoolExecutor, step: Callable[[], _Given]) -> _Given:
    # Shielded: a step that has begun is finished, even if nobody waits for it any more.
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, step))


def _all_of(connection: sqlalchemy.Connection, statement: Executable, values: Values) -> Rows:
    result = connection.execute(statement, values)
    return result.freeze()() if result.returns_rows else result


def _prepare_writer(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI
    # The driver would begin transactions by itself, and later than we need them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    durable = connection.get_execution_options().get("durable", True)
    # NORMAL can lose the last commits in a power cut, such as the note that a prediction was sent.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    # A transaction that begins as a reader fails where another has written before it does.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
