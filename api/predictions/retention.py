"""What is removed when: data an hour after the end, what is left of a prediction much later."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, select, update

from api.database import Connection, Database
from api.files.files import Files
from api.ids import now
from api.tables import deliveries, predictions

log = logging.getLogger(__name__)

_P = predictions.c
_AT_ONCE = 200
_EVERY = 15.0  # seconds


class Retention:
    """Removes inputs, outputs, logs and files of ended predictions, and later their rows."""

    def __init__(
        self, database: Database, files: Files, data_seconds: float, record_seconds: float
    ) -> None:
        self._database = database
        self._files = files
        self._data_seconds = data_seconds
        self._record_seconds = max(record_seconds, data_seconds)

    async def keep_removing(self) -> None:
        """Until cancelled; a round that fails is made up for by the next."""
        every = min(_EVERY, self._data_seconds)
        while True:
            try:
                while await self._remove_data() or await self._remove_records():
                    pass
            except Exception:
                log.exception("Could not remove data whose time is over; will try again.")
            await asyncio.sleep(every)

    async def _remove_data(self) -> bool:
        due = _P.completed_at <= now() - self._data_seconds
        found = select(_P.id).where(due, _P.removed_at.is_(None)).limit(_AT_ONCE)
        ids = await self._ids(found)
        for id in ids:
            # Files first: a crash in between leaves a row whose turn comes again.
            files = await self._files.of_prediction(id)
            await self._files.remove([file.id for file in files])
        if ids:
            emptied: dict[str, Any] = {
                "input": {},
                "output": None,
                "logs": "",
                "upload_url": None,
                "removed_at": now(),
            }
            removed = update(predictions).where(_P.id.in_(ids)).values(emptied)
            await self._database.write(lambda connection: connection.execute(removed))
        return len(ids) == _AT_ONCE

    async def _remove_records(self) -> bool:
        due = _P.completed_at <= now() - self._record_seconds
        ids = await self._ids(select(_P.id).where(due, _P.removed_at.is_not(None)).limit(_AT_ONCE))
        if ids:
            await forget(self._database, ids)
        return len(ids) == _AT_ONCE

    async def _ids(self, found: Select[Any]) -> Sequence[str]:
        return await self._database.read(
            lambda connection: connection.execute(found).scalars().all()
        )


async def forget(database: Database, ids: Sequence[str]) -> None:
    """Remove these predictions' rows, and their webhooks that have not arrived."""

    def forgotten(connection: Connection) -> None:
        connection.execute(delete(deliveries).where(deliveries.c.prediction_id.in_(ids)))
        connection.execute(delete(predictions).where(_P.id.in_(ids)))

    await database.write(forgotten)
