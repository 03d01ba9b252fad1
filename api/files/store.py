"""The bytes of files, each under its id; in a directory now, where obstore can put them later."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from obstore.store import LocalStore

from api.files.kinds import HEAD_BYTES

_STEP = 1 << 20  # bytes, from a sender to the disk
_PARTS_AT_ONCE = 2
_READ_STEP = 256 << 10  # bytes, from the disk to a reader


@dataclass(frozen=True)
class Written:
    """What was written."""

    size: int
    sha256: str
    md5: str
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

    async def write(self, key: str, content: AsyncIterator[bytes], most: int | None) -> Written:
        """Keep all of `content`, safe from a power cut, or nothing of it.

        Raises:
            TooManyBytes: there are more than `most`.
        """
        counted = _Counted(content, most)
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
        if start >= end:
            return _nothing()
        found = await self._store.get_async(key, options={"range": (start, end)})
        return (bytes(piece) async for piece in found.stream(min_chunk_size=_READ_STEP))

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

    def __init__(self, content: AsyncIterator[bytes], most: int | None) -> None:
        self._content = content
        self._most = most
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
        await asyncio.to_thread(self._hash, step)
        return step

    def _hash(self, step: bytes) -> None:
        self._sha256.update(step)
        self._md5.update(step)

    def written(self) -> Written:
        return Written(self._size, self._sha256.hexdigest(), self._md5.hexdigest(), self._head)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
