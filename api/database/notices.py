"""What other processes have done, as Postgres tells it (NOTIFY) the moment that it is committed.

A trigger on the table `predictions` tells of each new state; migration 0003 has it. The connection
that listens also holds locks on this process's names, by which others see that it lives.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection

from api.database.postgres import OPTIONS
from api.settings import BadSettings

log = logging.getLogger(__name__)

CHANNEL = "api_predictions"
_AGAIN = 0.5  # seconds after a lost connection
_HELD_SECONDS = 5.0  # for which the name of a killed process may stay held
_LOOK_EVERY = 30.0  # seconds without a notice until the connection is tried


@dataclass(frozen=True)
class Notice:
    """A prediction's row has become this."""

    prediction_id: str
    state: str
    tag: float


class Notices:
    """Listens to Postgres.

    Args:
        names: what this process holds as long as it is connected.
        hear: told of each notice.
        listen_anew: called whenever notices may have been missed.
    """

    def __init__(
        self,
        url: str,
        names: Sequence[str],
        *,
        hear: Callable[[Notice], None],
        listen_anew: Callable[[], None],
    ) -> None:
        self._url = url
        self._names = names
        self._hear = hear
        self._listen_anew = listen_anew
        self._connection: AsyncConnection[Any] | None = None

    async def begin(self) -> None:
        """Take the names and listen.

        Raises:
            BadSettings: another process holds a name.
            psycopg.Error: Postgres does not answer.
        """
        give_up = asyncio.get_running_loop().time() + _HELD_SECONDS
        connection = await self._connect()
        for name in self._names:
            while not await _takes(connection, name):
                if asyncio.get_running_loop().time() > give_up:
                    await connection.close()
                    raise BadSettings(
                        f"Another process runs as {name}; give each worker an API_WORKER_NAME of "
                        "its own."
                    )
                await asyncio.sleep(_AGAIN)
        self._connection = connection

    async def keep_listening(self) -> None:
        """Until cancelled; a connection that is lost is made again."""
        while True:
            try:
                if self._connection is None:
                    await self.begin()
                    log.info("Postgres answers again.")
                await self._listen()
            except (psycopg.Error, OSError, BadSettings) as error:
                log.warning(
                    "The connection that listens to Postgres failed (%s); trying again.",
                    type(error).__name__,
                )
                await asyncio.sleep(_AGAIN)

    async def stop(self) -> None:
        """Close the connection, and with it give up the names."""
        if self._connection:
            await self._connection.close()

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(self._url, autocommit=True, **OPTIONS)
        await connection.execute(f"LISTEN {CHANNEL}")
        return connection

    async def _listen(self) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101 - for mypy; `begin` has run
        try:
            self._listen_anew()
            while True:
                async for notice in connection.notifies(timeout=_LOOK_EVERY):
                    self._hear(_read(notice.payload))
                await connection.execute("SELECT 1")
        finally:
            self._connection = None
            await connection.close()


async def _takes(connection: AsyncConnection[Any], name: str) -> bool:
    answer = await connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]
    )
    row = await answer.fetchone()
    return bool(row and row[0])


def _read(payload: str) -> Notice:
    prediction_id, state, tag = payload.split(" ")
    return Notice(prediction_id, state, float(tag))
