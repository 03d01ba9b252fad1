"""Postgres, which any number of processes share: each transaction sees what others have committed.

Steps that must not be taken twice are conditional UPDATEs, of which Postgres lets one through.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from psycopg import AsyncConnection as PsycopgConnection
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, event, func, make_url, select
from sqlalchemy.ext.asyncio import create_async_engine

from api.database import Database
from api.database.migrating import migrate

_Given = TypeVar("_Given")

OPTIONS: Mapping[str, Any] = {
    "application_name": "api",
    "connect_timeout": "10",
    # A server that has vanished is noticed within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""How connections are made, as libpq names it."""

_MIGRATING = "api migrations"


class Postgres(Database):
    """A Postgres database.

    Args:
        url: as in `postgresql://user:password@host:5432/name?sslmode=require`.
        connections: that this process holds at most, but for the one that listens.
    """

    is_shared = True

    def __init__(self, url: str, connections: int) -> None:
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,  # a restart of Postgres costs nobody a request
            connect_args=dict(OPTIONS),
        )
        event.listen(self._engine.sync_engine, "connect", _prepare)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def migrate(self) -> None:
        """See Database; whoever starts first does it, and the others wait for that."""

        def migrating(connection: Connection) -> None:
            lock = func.hashtextextended(_MIGRATING, 0)
            connection.execute(select(func.pg_advisory_lock(lock)))
            connection.commit()
            try:
                migrate(connection)
            finally:
                connection.rollback()
                connection.execute(select(func.pg_advisory_unlock(lock)))

        async with self._engine.connect() as connection:
            await connection.run_sync(migrating)
            await connection.commit()

    async def read(self, work: Callable[[Connection], _Given]) -> _Given:
        """See Database."""
        async with self._reading.connect() as connection:
            return await connection.run_sync(work)

    async def write(
        self,
        work: Callable[[Connection], _Given],
        *,
        durable: bool = True,
        turn_of: str | None = None,
    ) -> _Given:
        """See Database; all that is written here is durable."""

        def in_turn(connection: Connection) -> _Given:
            if turn_of is not None:
                lock = func.hashtextextended(turn_of, 0)
                connection.execute(select(func.pg_advisory_xact_lock(lock)))
            return work(connection)

        async with self._engine.begin() as connection:
            return await connection.run_sync(in_turn)

    async def is_alive(self, life: str) -> bool:
        """See Database: a life holds the lock of its name while it is connected."""
        lock = func.hashtextextended(life, 0)
        free = select(func.pg_try_advisory_xact_lock_shared(lock))
        return not await self.write(lambda connection: connection.execute(free).scalar_one())

    async def close(self) -> None:
        """See Database."""
        await self._engine.dispose()


class _WithoutNul(StrDumper):
    """Postgres' texts hold no NUL; a caller who sends one in an id or a name finds nothing."""

    def dump(self, obj: str) -> Any:  # noqa: ANN401 - psycopg's interface
        """The text as Postgres takes it."""
        return super().dump(obj.replace("\x00", "\ufffd"))


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter
    driver: PsycopgConnection[Any] = connection.driver_connection
    driver.adapters.register_dumper(str, _WithoutNul)
