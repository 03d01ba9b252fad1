"""All SQL on files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

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


# Made once, since every prediction asks them; see predictions/statements.py.
_FOUND = select(*(_F[field.name] for field in fields(StoredFile)))
_BY_IDS = _FOUND.where(
    _F.id.in_(bindparam("the_ids", expanding=True)),
    or_(_F.expires_at.is_(None), _F.expires_at > bindparam("the_present")),
).order_by(_F.created_at, _F.id)
_INSERT = insert(files)


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

        def note(connection: Connection) -> None:
            if tenant_bytes is not None:
                stored = _stored_bytes(connection, file.tenant_id)
                if stored + file.size > tenant_bytes:
                    raise NoRoom
            connection.execute(_INSERT, asdict(file))

        await self._database.write(note, durable=file.kind == UPLOAD, turn_of=turn)

    async def update(self, file: StoredFile) -> None:
        """Note what is new about a file."""
        changed = update(files).where(_F.id == file.id).values(asdict(file))
        await self._database.write(lambda connection: connection.execute(changed))

    async def stored_bytes(self, tenant_id: str) -> int:
        """All that a tenant has stored."""
        return await self._database.read(lambda connection: _stored_bytes(connection, tenant_id))

    async def get(self, file_id: str) -> StoredFile | None:
        """The file, whoever's it is."""
        found = await self.get_all([file_id])
        return found[0] if found else None

    async def by_caller_id(self, tenant_id: str, caller_id: str) -> StoredFile | None:
        """The tenant's file of that id of its callers'."""
        theirs = and_(_F.tenant_id == tenant_id, _F.caller_id == caller_id)
        found = await self._many(theirs, _has_time())
        return found[0] if found else None

    async def get_all(self, ids: Sequence[str]) -> list[StoredFile]:
        """Those of the ids that there are, whoever's they are."""
        return await self._read(_BY_IDS, {"the_ids": list(ids), "the_present": now()})

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

    async def expired(self) -> Sequence[str]:
        """The ids of some files whose time is over."""
        found = select(_F.id).where(_F.expires_at <= now()).limit(_PORTION)
        return await self._database.read(
            lambda connection: connection.execute(found).scalars().all()
        )

    async def unknown(self, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that no file has."""
        known: set[str] = set()

        def look(connection: Connection) -> None:
            for some in _portions(ids):
                found = select(_F.id).where(_F.id.in_(some))
                known.update(connection.execute(found).scalars())

        await self._database.read(look)
        return [id for id in ids if id not in known]

    async def delete(self, ids: Sequence[str]) -> None:
        """Forget these files."""

        def forget(connection: Connection) -> None:
            for some in _portions(ids):
                connection.execute(delete(files).where(_F.id.in_(some)))

        await self._database.write(forget)

    async def _many(
        self,
        *conditions: ColumnElement[bool],
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[StoredFile]:
        place = (_F.created_at, _F.id)
        order = [column.desc() if newest_first else column.asc() for column in place]
        return await self._read(_FOUND.where(*conditions).order_by(*order).limit(limit), {})

    async def _read(self, found: Select[Any], which: Mapping[str, Any]) -> list[StoredFile]:
        def read(connection: Connection) -> list[StoredFile]:
            return [StoredFile(**row) for row in connection.execute(found, which).mappings()]

        return await self._database.read(read)


def _has_time() -> ColumnElement[bool]:
    return or_(_F.expires_at.is_(None), _F.expires_at > now())


def _beyond(
    further: ColumnElement[bool], next_id: ColumnElement[bool], place: Place
) -> ColumnElement[bool]:
    return or_(further, and_(_F.created_at == place[0], next_id))


def _stored_bytes(connection: Connection, tenant_id: str) -> int:
    total = select(func.coalesce(func.sum(_F.size), 0)).where(_F.tenant_id == tenant_id)
    return int(connection.execute(total).scalar_one())


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PORTION):
        yield ids[start : start + _PORTION]
