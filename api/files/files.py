"""Files as the rest of the API knows them: a row each, and bytes in the store."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.database import Database
from api.errors import TooLarge
from api.files.addresses import Address, Signer, read_address
from api.files.kinds import RASTER
from api.files.kinds import content_type as type_to_keep
from api.files.rows import UPLOAD, NoRoom, Place, Rows, StoredFile
from api.files.store import STEP, Store, TooManyBytes
from api.files.thumbnail_ids import thumbnail_ids
from api.ids import new_id, now
from api.tenants import Tenant

_LONGEST_NAME = 255  # characters; Replicate's bound (its API description)
_NOT_IN_NAMES = re.compile(r".*[/\\]|[\x00-\x1f\x7f]", re.DOTALL)
_CALLERS_STEP = 256 << 10  # bytes, of which each slow caller holds some
_ORPHAN_SECONDS = 3600.0  # longer than any file takes from its first byte to its row


@dataclass(frozen=True)
class Room:
    """What one more file may take."""

    file_bytes: int
    tenant_bytes: int
    """Together with all that its tenant has stored."""


class Files:
    """All files of all tenants."""

    def __init__(self, database: Database, store: Store, signer: Signer) -> None:
        self._rows = Rows(database)
        self._store = store
        self._signer = signer

    async def save(
        self,
        content: bytes | AsyncIterator[bytes],
        *,
        tenant_id: str,
        kind: str,
        name: str,
        prediction_id: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        expires_at: float | None = None,
        caller_id: str | None = None,
        room: Room | None = None,
        file_id: str | None = None,
    ) -> StoredFile:
        """Keep a file; row and bytes are on disk when this returns.

        Args:
            content_type: what its sender says; its first bytes may know better.
            room: absent for outputs, which are paid for and kept in any case.
            file_id: absent for a new one.

        Raises:
            TooLarge: there is no room for it; nothing of it is kept.
        """
        file_id = file_id or new_id()
        most = await self._most(tenant_id, room)
        try:
            written = await self._store.write(
                file_id, _pieces(content), most, sums=kind == UPLOAD, claimed=content_type
            )
        except TooManyBytes:
            raise _too_large(room, of_file=room is None or most == room.file_bytes) from None
        file = StoredFile(
            id=file_id,
            tenant_id=tenant_id,
            kind=kind,
            prediction_id=prediction_id,
            name=_file_name(name),
            content_type=type_to_keep(written.head, content_type),
            size=written.size,
            sha256=written.sha256,
            md5=written.md5,
            metadata=dict(metadata or {}),
            created_at=now(),
            expires_at=expires_at,
            caller_id=caller_id,
        )
        try:
            await self._rows.insert(file, room.tenant_bytes if room else None)
        except NoRoom:
            await self._store.delete([file_id])
            raise _too_large(room, of_file=False) from None
        return file

    async def describe(
        self, file: StoredFile, name: str, content_type: str | None, metadata: Mapping[str, Any]
    ) -> StoredFile:
        """The file with what its sender said of it after its bytes."""
        told = replace(
            file,
            name=_file_name(name),
            content_type=(
                file.content_type
                if file.content_type in RASTER
                else type_to_keep(b"", content_type)
            ),
            metadata=dict(metadata),
        )
        if told != file:
            await self._rows.update(told)
        return told

    async def name_by_caller(self, file: StoredFile, caller_id: str) -> None:
        """From now on its tenant's callers know it by that id."""
        await self._rows.update(replace(file, caller_id=caller_id))

    async def by_caller_id(self, tenant: Tenant, caller_id: str) -> StoredFile | None:
        """The tenant's own file of that id, unless it has expired."""
        return await self._rows.by_caller_id(tenant.id, caller_id)

    async def find(self, file_id: str) -> StoredFile | None:
        """The file, whoever's it is, unless it has expired."""
        return await self._rows.get(file_id)

    async def find_all(self, file_ids: Sequence[str]) -> dict[str, StoredFile]:
        """Those that there are, by id, whoever's they are."""
        return {file.id: file for file in await self._rows.get_all(file_ids)}

    async def own(self, url: str, tenant: Tenant) -> StoredFile | None:
        """The file that one of our addresses means, if the tenant may read it.

        The host is not looked at: an API has several names, and nobody can guess an id.
        """
        if (key := self._store.key_of(url)) and (file := await self.find(key)):
            # The store's signature is the store's to check: another's is fetched like any URL.
            return file if file.tenant_id == tenant.id or tenant.is_operator else None
        if (address := read_address(url)) and (file := await self.find(address.id)):
            theirs = file.tenant_id == tenant.id or tenant.is_operator
            if theirs or self._signer.holds(address, file.tenant_id):
                return file
        return None

    def is_upload(self, url: str) -> bool:
        """Whether it has the form of an upload's address, which nobody can read without a token."""
        address = read_address(url)
        return address is not None and not address.signature

    async def addressed(self, address: Address | None) -> StoredFile | None:
        """The file that a signed address means, to whoever has it."""
        if address and (file := await self.find(address.id)):
            return file if self._signer.holds(address, file.tenant_id) else None
        return None

    async def upload(self, file_id: str, tenant: Tenant) -> StoredFile | None:
        """An upload of the tenant's own; an operator may see everybody's."""
        file = await self.find(file_id)
        if file and file.kind == UPLOAD and (tenant.is_operator or file.tenant_id == tenant.id):
            return file
        return None

    async def uploads(
        self, tenant: Tenant, limit: int, before: Place | None = None, after: Place | None = None
    ) -> list[StoredFile]:
        """A page of them, newest first."""
        owner = None if tenant.is_operator else tenant.id
        return await self._rows.uploads(owner, limit, before, after)

    async def of_prediction(self, prediction_id: str) -> list[StoredFile]:
        """Its inputs and outputs, in the order in which they came."""
        return await self._rows.of_prediction(prediction_id)

    async def read(self, file: StoredFile) -> AsyncIterator[bytes]:
        """All of it, piece by piece.

        Raises:
            FileNotFoundError: it was removed meanwhile.
        """
        async for piece in await self._store.open(file.id, 0, file.size):
            yield piece

    async def open(self, file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, and without, `end`, for a caller who may be slow.

        Raises:
            FileNotFoundError: it was removed meanwhile.
        """
        return await self._store.open(file.id, start, end, step=_CALLERS_STEP)

    def address(self, file: StoredFile, origin: str, expires_at: float) -> str:
        """Good until `expires_at` for whoever has it; the same for the same arguments."""
        return self._signer.address(origin, file.tenant_id, file.id, file.name, expires_at)

    async def presigned(self, file: StoredFile, expires_at: float) -> str | None:
        """An address of the store itself, where callers reach it."""
        return await self._store.presigned(file.id, expires_at - now())

    def download_query(self, file: StoredFile, expires_at: float) -> dict[str, str]:
        """The query of Replicate's address for downloads."""
        return self._signer.download_query(file.tenant_id, file.id, expires_at)

    async def remove(self, file_ids: Sequence[str]) -> None:
        """With their small pictures.

        Bytes first: a row without bytes is found again, bytes without a row are orphans.
        """
        ids = [*file_ids, *thumbnail_ids(file_ids)]
        await self._store.delete(ids)
        await self._rows.delete(ids)

    async def remove_expired(self) -> None:
        """Remove the files whose time is over."""
        while expired := await self._rows.expired():
            await self.remove(expired)

    async def remove_orphans(self) -> None:
        """Remove bytes that a crash has left without a row."""
        async for ids in self._store.written_before(now() - _ORPHAN_SECONDS):
            await self._store.delete(await self._rows.unknown(ids))

    async def _most(self, tenant_id: str, room: Room | None) -> int | None:
        if room is None:
            return None
        left = room.tenant_bytes - await self._rows.stored_bytes(tenant_id)
        return min(room.file_bytes, max(left, 0))


def _file_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("", name)[-_LONGEST_NAME:] or "file"


async def _pieces(content: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), STEP):
            yield content[start : start + STEP]
        return
    async for piece in content:
        yield piece


def _too_large(room: Room | None, *, of_file: bool) -> TooLarge:
    if of_file or room is None:
        bound = f" of {room.file_bytes / 1e6:g}MB" if room else ""
        return TooLarge(f"The file is larger than the limit{bound}.")
    return TooLarge(
        f"With this file you would have stored more than {room.tenant_bytes / 1e6:g}MB; "
        "delete some files, or wait until they have expired."
    )
