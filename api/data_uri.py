"""Files within text: data: URIs that came, and base64 that goes out."""

import asyncio
import base64
import binascii
import mimetypes
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_START = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)


class NotBase64(ValueError):
    """The URI says that it is base64, and is not."""


@dataclass(frozen=True)
class Embedded:
    """What a data: URI holds."""

    content: bytes
    media_type: str

    @property
    def suffix(self) -> str:
        """What a file of this type ends with, as in `.png`; empty for unknown types."""
        return mimetypes.guess_extension(self.media_type) or ""


async def embedded(uri: str) -> Embedded | None:
    """What the URI holds; None where it is no data: URI.

    Raises:
        NotBase64: it is broken.
    """
    match = _START.match(uri)
    if match is None:
        return None
    try:
        is_base64 = match[2].lower().endswith(";base64")
        content = await asyncio.to_thread(_decoded, uri, match.end(), is_base64)
    except (binascii.Error, ValueError):
        raise NotBase64 from None
    return Embedded(content, match[1].lower() or "application/octet-stream")


async def in_base64(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The base64 of all of it, so that only a piece is in memory."""
    rest = b""
    async for piece in pieces:
        whole = rest + piece
        usable = len(whole) - len(whole) % 3
        rest = whole[usable:]
        yield base64.b64encode(whole[:usable])
    yield base64.b64encode(rest)


def _decoded(uri: str, start: int, is_base64: bool) -> bytes:
    data = unquote_to_bytes(uri[start:])
    return base64.b64decode(data, validate=True) if is_base64 else data
