"""The bytes of files in a directory of this machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from obstore.store import LocalStore

from api.files.store import STEP, Counted, Written, piece_by_piece

_NOT_YET_WHOLE = "#1"  # ends its name, as with obstore, which lists no such names


class Directory:
    """Files in a directory; one process at a time writes there."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._store = LocalStore(directory)

    async def begin(self) -> None:
        """See Store."""
        await asyncio.to_thread(self._clean)

    def _clean(self) -> None:
        for cut_short in self._directory.glob("*#*"):
            cut_short.unlink()

    async def write(
        self,
        key: str,
        content: AsyncIterator[bytes],
        most: int | None = None,
        *,
        sums: bool = True,
        claimed: str | None = None,
    ) -> Written:
        """See Store."""
        counted = Counted(content, most, sums)
        growing = _Growing(self._directory / key, counted)
        adding: asyncio.Task[None] | None = None
        try:
            async for step, is_last in counted.steps():
                if adding:
                    await adding
                # The next step comes in meanwhile: checksums take as long as that.
                adding = asyncio.create_task(asyncio.to_thread(growing.add, step, is_last))
            if adding:
                await adding
        except BaseException:
            if adding:
                adding.cancel()
                await asyncio.gather(adding, return_exceptions=True)
            await asyncio.to_thread(growing.drop)
            raise
        return counted.written()

    async def open(
        self, key: str, start: int, end: int, *, step: int = STEP
    ) -> AsyncIterator[bytes]:
        """See Store."""
        # A range at a time takes a third of the CPU that obstore's stream does.
        return await piece_by_piece(lambda at: self._range(key, at, min(at + step, end)), start)

    async def _range(self, key: str, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        found = await self._store.get_range_async(key, start=start, end=end)
        return bytes(found)

    async def delete(self, keys: Iterable[str]) -> None:
        """See Store."""
        for key in keys:
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                continue

    async def written_before(self, when: float) -> AsyncIterator[list[str]]:
        """See Store."""
        async for portion in self._store.list():
            yield [meta["path"] for meta in portion if meta["last_modified"].timestamp() < when]

    async def presigned(self, key: str, seconds: float) -> str | None:
        """See Store: callers do not reach the directory."""
        return None

    def key_of(self, url: str) -> str | None:
        """See Store."""
        return None


class _Growing:
    """A file that is not yet whole, under a name that no key has. For threads."""

    def __init__(self, path: Path, counted: Counted) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}{_NOT_YET_WHOLE}")
        self._file: BinaryIO | None = None
        self._counted = counted
        self._turn = Lock()

    def add(self, step: bytes, is_last: bool) -> None:
        """The next step; after the last one the file is whole and on disk."""
        with self._turn:
            if self._file is None:
                self._file = self._part.open("xb")
            self._file.write(step)
            self._counted.see(step)
            if is_last:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._part.rename(self._path)
                _sync_names(self._path.parent)

    def drop(self) -> None:
        """There will be no more of it."""
        with self._turn:
            if self._file:
                self._file.close()
                self._part.unlink(missing_ok=True)


def _sync_names(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
