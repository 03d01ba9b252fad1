"""The bytes of files, each under its id; in a directory now, where obstore can put them later."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from obstore.store import LocalStore

from api.files.kinds import HEAD_BYTES

_STEP = 1 << 20  # bytes, to the disk
_READ_STEP = 256 << 10  # bytes, from the disk; a slow reader holds some of these
_PARTS_AT_ONCE = 2


@dataclass(frozen=True)
class Written:
    """What was written."""

    size: int
    sha256: str
    md5: str
    """Both empty unless asked for."""
    head: bytes
    """Its first bytes."""


class TooManyBytes(Exception):
    """There were more bytes than allowed; nothing of them is kept."""


class Store:
    """Files in a directory that belongs to this process alone."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for cut_short in directory.glob("*#*"):  # obstore's name for a file not yet whole
            cut_short.unlink()
        self._directory = directory
        self._store = LocalStore(directory)

    async def write(
        self, key: str, content: AsyncIterator[bytes], most: int | None = None, *, sums: bool = True
    ) -> Written:
        """Keep all of `content`, safe from a power cut, or nothing of it.

        Args:
            sums: work out the checksums, which takes more CPU than all else.

        Raises:
            TooManyBytes: there are more than `most`.
        """
        counted = _Counted(content, most, sums)
        await self._store.put_async(
            key, counted.steps(), chunk_size=_STEP, max_concurrency=_PARTS_AT_ONCE
        )
        await asyncio.to_thread(_sync, self._directory / key, self._directory)
        return counted.written()

    async def open(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, and without, `end`.

        Raises:
            FileNotFoundError: there is no such file.
        """
        # A range at a time takes a third of the CPU that obstore's stream does.
        first = await self._range(key, start, end)

        async def pieces() -> AsyncIterator[bytes]:
            piece, read = first, start
            while piece:
                yield piece
                read += len(piece)
                piece = await self._range(key, read, end)

        return pieces()

    async def _range(self, key: str, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        found = await self._store.get_range_async(
            key, start=start, end=min(start + _READ_STEP, end)
        )
        return bytes(found)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete those that are there."""
        for key in keys:
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                continue

    async def written_before(self, when: float) -> AsyncIterator[list[str]]:
        """The keys of all files that are older, in portions; `when` in seconds since the epoch."""
        async for portion in self._store.list():
            yield [meta["path"] for meta in portion if meta["last_modified"].timestamp() < when]


class _Counted:
    """Content on its way, in steps that are worth a thread."""

    def __init__(self, content: AsyncIterator[bytes], most: int | None, sums: bool) -> None:
        self._content = content
        self._most = most
        self._sums = sums
        self._size = 0
        self._head = b""
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    async def steps(self) -> AsyncIterator[bytes]:
        gathered = bytearray()
        async for piece in self._content:
            self._size += len(piece)
            if self._most is not None and self._size > self._most:
                raise TooManyBytes
            gathered += piece
            if len(gathered) >= _STEP:
                yield await self._seen(bytes(gathered))
                gathered.clear()
        yield await self._seen(bytes(gathered))

    async def _seen(self, step: bytes) -> bytes:
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + step)[:HEAD_BYTES]
        if self._sums:
            await asyncio.to_thread(self._sum, step)
        return step

    def _sum(self, step: bytes) -> None:
        self._sha256.update(step)
        self._md5.update(step)

    def written(self) -> Written:
        sums = (self._sha256.hexdigest(), self._md5.hexdigest()) if self._sums else ("", "")
        return Written(self._size, *sums, self._head)


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
