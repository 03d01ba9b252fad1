"""How workers show that they are alive, and learn what an operator has asked of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import RowMapping, delete, insert, select, update

from api.database import Connection, Database
from api.ids import now
from api.predictions.store import Store
from api.tables import workers

log = logging.getLogger(__name__)

_EVERY = 5.0  # seconds
SILENT_SECONDS = 30.0
"""A worker that has been silent for this long counts as dead; within a minute others notice."""
_FORGET_SECONDS = 86400.0

_W = workers.c


@dataclass(frozen=True)
class Asked:
    """What an operator has asked of a worker."""

    drains: bool
    """To take nothing more."""
    looks: bool
    """To look at the database for what waits: something was queued there."""


class Beats:
    """The table `workers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, name: str, slots: int) -> None:
        """A worker has started."""
        row = {"name": name, "beat_at": now(), "slots": slots, "busy": 0}

        def stored(connection: Connection) -> None:
            connection.execute(delete(workers).where(_W.name == name))
            connection.execute(insert(workers).values(**row, drains=False, looks=False))

        await self._database.write(stored)

    async def beat(self, name: str, busy: int) -> Asked:
        """The worker is alive, with this many predictions; what was asked of it since."""
        this_one = _W.name == name

        def told(connection: Connection) -> RowMapping | None:
            asked = connection.execute(select(workers).where(this_one)).mappings().first()
            told = {"beat_at": now(), "busy": busy, "looks": False}
            connection.execute(update(workers).where(this_one).values(told))
            return asked

        asked = await self._database.write(told, durable=False)
        return Asked(asked["drains"], asked["looks"]) if asked else Asked(drains=False, looks=False)

    async def end(self, name: str) -> None:
        """It has stopped."""
        gone = delete(workers).where(_W.name == name)
        await self._database.write(lambda connection: connection.execute(gone))

    async def any_lives(self) -> bool:
        """Whether a worker would take a prediction now."""
        lives = _W.beat_at > now() - SILENT_SECONDS
        found = select(_W.name).where(lives, _W.drains.is_(False)).limit(1)
        first = await self._database.read(lambda connection: connection.execute(found).first())
        return first is not None

    async def forget_old(self) -> None:
        """Remove those that have been silent for a day."""
        old = delete(workers).where(_W.beat_at < now() - _FORGET_SECONDS)
        await self._database.write(lambda connection: connection.execute(old))


async def keep_beating(
    beats: Beats,
    name: str,
    busy: Callable[[], int],
    do: Callable[[Asked], Awaitable[None]],
) -> None:
    """Until cancelled; `do` is given what was asked at each beat."""
    while True:
        try:
            await do(await beats.beat(name, busy()))
        except Exception:
            log.exception("Could not tell that this worker lives; will try again.")
        await asyncio.sleep(_EVERY)


async def keep_taking_over(beats: Beats, store: Store) -> None:
    """Until cancelled; what a dead worker had taken and not sent waits for another one.

    What it had sent stays with its Cog server: its return decides, or the deadline.
    """
    while True:
        try:
            count = await store.requeue_of_the_silent(now() - SILENT_SECONDS)
            if count:
                log.warning("%d predictions of a silent worker are queued again.", count)
            await beats.forget_old()
        except Exception:
            log.exception("Could not look for silent workers; will try again.")
        await asyncio.sleep(_EVERY)
