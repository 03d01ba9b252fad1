"""Images behind an address, fetched within bounds of time and size."""

import asyncio
import io
from typing import Final

import httpx2
from PIL import Image

from sandbox.image_errors import MAX_BYTES, download_failed

_SECONDS: Final = 10.0
_REDIRECTS: Final = 3
_UNKNOWN: Final = "application/octet-stream"


def download(url: str) -> tuple[str, bytes]:
    """Return the content type and the bytes behind an address; blocks for at most ten seconds.

    The type is read from the bytes: what the server calls them is assumed not to matter.
    Raises ``ApiError`` where nothing is to be had: without a network, that is every address.
    A body of 50 MB or more is cut off there, and refused later as any upload of that size.
    """
    data = asyncio.run(_fetched(url))
    return _type_of(data), data


async def _fetched(url: str) -> bytes:
    data = bytearray()
    client = httpx2.AsyncClient(
        follow_redirects=True,
        max_redirects=_REDIRECTS,
        headers={"accept-encoding": "identity"},
        timeout=None,  # the whole fetch has one
    )
    try:
        async with asyncio.timeout(_SECONDS), client, client.stream("GET", url) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_raw():
                data += piece
                if len(data) >= MAX_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError) as error:
        raise download_failed(url) from error
    return bytes(data)


def _type_of(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.get_format_mimetype() or _UNKNOWN
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return _UNKNOWN
