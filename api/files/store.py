"""The bytes of files, each under its id: what the rest may ask of a directory or of a bucket."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from api.files.kinds import HEAD_BYTES

STEP = 1 << 20  # bytes


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


class Store(Protocol):
    """Keeps files."""

    async def begin(self) -> None:
        """Make ready, where this process is to write; what was cut short before goes."""

    async def write(
        self,
        key: str,
        content: AsyncIterator[bytes],
        most: int | None = None,
        *,
        sums: bool = True,
        claimed: str | None = None,
    ) -> Written:
        """Keep all of `content`, safe from a power cut, or nothing of it.

        Args:
            sums: work out the checksums, which takes more CPU than all else.
            claimed: the type that its sender says it has.

        Raises:
            TooManyBytes: there are more than `most`.
        """

    async def open(
        self, key: str, start: int, end: int, *, step: int = STEP
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, and without, `end`.

        Args:
            step: bytes to read at once, which a slow reader holds; a bucket may give more.

        Raises:
            FileNotFoundError: there is no such file.
        """

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete those that are there."""

    def written_before(self, when: float) -> AsyncIterator[list[str]]:
        """The keys of all files that are older, in portions; `when` in seconds since the epoch."""

    async def presigned(self, key: str, seconds: float) -> str | None:
        """An address by which callers get the file from the store itself, where they reach it."""

    def key_of(self, url: str) -> str | None:
        """The key of the file that such an address means."""


async def piece_by_piece(
    read: Callable[[int], Awaitable[bytes]], start: int
) -> AsyncIterator[bytes]:
    """What `read` gives from `start` on, until it gives nothing; the first is read at once.

    So that a file that is gone is told before an answer has begun.
    """
    first = await read(start)

    async def pieces() -> AsyncIterator[bytes]:
        piece, at = first, start
        while piece:
            yield piece
            at += len(piece)
            piece = await read(at)

    return pieces()


class Counted:
    """Content on its way, in steps that are worth a thread."""

    def __init__(self, content: AsyncIterator[bytes], most: int | None, sums: bool) -> None:
        self._content = content
        self._most = most
        self._sums = sums
        self._size = 0
        self._head = b""
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    async def steps(self) -> AsyncIterator[tuple[bytes, bool]]:
        """All of it, and whether that is the last step; raises TooManyBytes."""
        gathered: list[bytes] = []
        size = 0
        async for piece in self._content:
            self._size += len(piece)
            if self._most is not None and self._size > self._most:
                raise TooManyBytes
            gathered.append(piece)
            size += len(piece)
            if size >= STEP:
                yield b"".join(gathered), False
                gathered.clear()
                size = 0
        yield b"".join(gathered), True

    def see(self, step: bytes) -> None:
        """Count a step among what was written; in a thread, since checksums take long."""
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + step)[:HEAD_BYTES]
        if self._sums:
            self._sha256.update(step)
            self._md5.update(step)

    def written(self) -> Written:
        """What has gone through."""
        sums = (self._sha256.hexdigest(), self._md5.hexdigest()) if self._sums else ("", "")
        return Written(self._size, *sums, self._head)
