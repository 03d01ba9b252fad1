"""All SQL on files."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from api.database import Connection, Database
from api.ids import now
from api.tables import files

UPLOAD, INPUT, OUTPUT, THUMBNAIL = "upload", "input", "output", "thumbnail"

_F = files.c
_PORTION = 500  # SQLite bounds the values of one statement

Place = tuple[float, str]
"""Where a page begins or ends: creation and id."""


@dataclass(frozen=True)
class StoredFile:
    """A row of the table `files`."""

    id: str
    tenant_id: str
    kind: str
    """UPLOAD, INPUT, OUTPUT or THUMBNAIL."""
    prediction_id: str | None
    name: str
    content_type: str
    """One of kinds.RASTER only where the first bytes say so."""
    size: int
    sha256: str
    md5: str
    """Both are those of an upload; nobody asks for another file's, where they are empty."""
    metadata: dict[str, Any]
    created_at: float
    expires_at: float | None
    caller_id: str | None = None
    """The id by which its tenant's callers know it, unique among theirs."""


_COLUMNS = tuple(_F[field.name] for field in fields(StoredFile))


class NoRoom(Exception):
    """Its tenant has stored too much for this file."""


class Rows:
    """The table `files`; what has expired is not found any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, file: StoredFile, tenant_bytes: int | None) -> None:
        """Note a file whose bytes are stored.

        Raises:
            NoRoom: with it, its tenant would have stored more than `tenant_bytes`.
        """
        # Inputs and outputs count from the prediction's next step on, which takes them to disk.
        turn = None if tenant_bytes is None else f"store {file.tenant_id}"
        async with self._database.write(durable=file.kind == UPLOAD, turn_of=turn) as connection:
            if tenant_bytes is not None:
                stored = await _stored_bytes(connection, file.tenant_id)
                if stored + file.size > tenant_bytes:
                    raise NoRoom
            await connection.execute(insert(files).values(asdict(file)))

    async def update(self, file: StoredFile) -> None:
        """Note what is new about a file."""
        async with self._database.write() as connection:
            changed = update(files).where(_F.id == file.id)
            await connection.execute(changed.values(asdict(file)))

    async def stored_bytes(self, tenant_id: str) -> int:
        """All that a tenant has stored."""
        async with self._database.read() as connection:
            return await _stored_bytes(connection, tenant_id)

    async def get(self, file_id: str) -> StoredFile | None:
        """The file, whoever's it is."""
        found = await self._many(_F.id == file_id, _has_time())
        return found[0] if found else None

    async def by_caller_id(self, tenant_id: str, caller_id: str) -> StoredFile | None:
        """The tenant's file of that id of its callers'."""
        theirs = and_(_F.tenant_id == tenant_id, _F.caller_id == caller_id)
        found = await self._many(theirs, _has_time())
        return found[0] if found else None

    async def get_all(self, ids: Sequence[str]) -> list[StoredFile]:
        """Those of the ids that there are, whoever's they are."""
        return await self._many(_F.id.in_(ids), _has_time())

    async def of_prediction(self, prediction_id: str) -> list[StoredFile]:
        """Its inputs and outputs, in the order in which they came."""
        return await self._many(_F.prediction_id == prediction_id, _has_time())

    async def uploads(
        self, tenant_id: str | None, limit: int, before: Place | None, after: Place | None
    ) -> list[StoredFile]:
        """Newest first; with `after`, those next to it. No tenant means all tenants'."""
        conditions = [_F.kind == UPLOAD, _has_time()]
        if tenant_id is not None:
            conditions.append(_F.tenant_id == tenant_id)
        if before:
            conditions.append(_beyond(_F.created_at < before[0], _F.id < before[1], before))
        if after:
            conditions.append(_beyond(_F.created_at > after[0], _F.id > after[1], after))
        listed = await self._many(*conditions, limit=limit, newest_first=not after)
        return listed[::-1] if after else listed

    async def expired(self) -> list[str]:
        """The ids of some files whose time is over."""
        found = select(_F.id).where(_F.expires_at <= now()).limit(_PORTION)
        async with self._database.read() as connection:
            return list((await connection.execute(found)).scalars())

    async def unknown(self, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that no file has."""
        known: set[str] = set()
        async with self._database.read() as connection:
            for some in _portions(ids):
                found = select(_F.id).where(_F.id.in_(some))
                known.update((await connection.execute(found)).scalars())
        return [id for id in ids if id not in known]

    async def delete(self, ids: Sequence[str]) -> None:
        """Forget these files."""
        for some in _portions(ids):
            async with self._database.write() as connection:
                await connection.execute(delete(files).where(_F.id.in_(some)))

    async def _many(
        self,
        *conditions: ColumnElement[bool],
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[StoredFile]:
        place = (_F.created_at, _F.id)
        order = [column.desc() if newest_first else column.asc() for column in place]
        found = select(*_COLUMNS).where(*conditions).order_by(*order).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(found)).mappings().all()
        return [StoredFile(**row) for row in rows]


def _has_time() -> ColumnElement[bool]:
    return or_(_F.expires_at.is_(None), _F.expires_at > now())


def _beyond(
    further: ColumnElement[bool], next_id: ColumnElement[bool], place: Place
) -> ColumnElement[bool]:
    return or_(further, and_(_F.created_at == place[0], next_id))


async def _stored_bytes(connection: Connection, tenant_id: str) -> int:
    total = select(func.coalesce(func.sum(_F.size), 0)).where(_F.tenant_id == tenant_id)
    return int((await connection.execute(total)).scalar_one())


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PORTION):
        yield ids[start : start + _PORTION]
