"""Small pictures beside the originals: each made once, when somebody first looks at it.

A file of which none can be made has an empty one, so that nobody tries again.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy.exc import IntegrityError

from api.files.files import Files
from api.files.kinds import RASTER
from api.files.rows import THUMBNAIL, StoredFile
from api.files.thumbnail_ids import Edge, thumbnail_id, thumbnail_ids

log = logging.getLogger(__name__)

_SHRINK = Path(__file__).parent / "shrink.py"
_AT_ONCE = 2
_SECONDS = 60.0
_MOST_BYTES = 100_000_000  # of an original; all of it is in the process's memory


class Thumbnails:
    """Makes and finds them."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, original: StoredFile, edge: Edge, expires_at: float) -> StoredFile | None:
        """The file's small picture, made if need be; None where none can be made.

        Args:
            expires_at: when nobody will have an address of the original any more.
        """
        if original.content_type not in RASTER or original.size > _MOST_BYTES:
            return None
        small_id = thumbnail_id(original.id, edge)
        async with self._turns.setdefault(small_id, asyncio.Lock()):
            small = await self._files.find(small_id)
            if small is None:
                async with self._places:
                    small = await self._make(original, edge, small_id, expires_at)
        return small if small.size else None

    async def sizes(self, file_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Width and height of those originals of which a small picture has been made."""
        found = await self._files.find_all(thumbnail_ids(file_ids))
        return {
            file_id: small.metadata
            for file_id in file_ids
            for edge in Edge
            if (small := found.get(thumbnail_id(file_id, edge))) and small.size
        }

    async def _make(
        self, original: StoredFile, edge: Edge, small_id: str, expires_at: float
    ) -> StoredFile:
        size, content = await self._shrunk(original, edge)
        try:
            return await self._files.save(
                content,
                file_id=small_id,
                tenant_id=original.tenant_id,
                kind=THUMBNAIL,
                name=f"{edge.name.lower()}.webp",
                metadata=size,
                expires_at=original.expires_at or expires_at,
            )
        except IntegrityError:  # another process was faster
            found = await self._files.find(small_id)
            if found is None:
                raise
            return found

    async def _shrunk(self, original: StoredFile, edge: Edge) -> tuple[dict[str, int], bytes]:
        """Size of the original, and the small picture; empty where none can be made."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            _SHRINK,
            str(edge.value),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback may repeat what is in the file
            env={},
        )
        try:
            async with asyncio.timeout(_SECONDS):
                content = b"".join([piece async for piece in self._files.read(original)])
                told, _ = await process.communicate(content)
        except TimeoutError:
            told = b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not told:
            log.info("No small picture can be made of a file.", extra={"file": original.id})
            return {}, b""
        line, _, small = told.partition(b"\n")
        width, height = map(int, line.split())
        return {"width": width, "height": height}, small
