"""The bytes of files in a bucket that speaks S3's protocol, as many processes share it.

The store's keys, region and endpoint come from the variables that its own tools use: AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL and the like.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from api.files.kinds import OTHER, RASTER, content_type
from api.files.store import STEP, Counted, Written, piece_by_piece

_PART = 5 << 20  # bytes; S3 takes no smaller parts
_PARTS_AT_ONCE = 2
_LONGEST_PRESIGNED = 7 * 86400.0  # seconds; S3's own bound
# A store that is away for a while costs nobody a picture: each request is tried again for a minute.
_RETRIES: Any = {"max_retries": 20, "retry_timeout": timedelta(seconds=60)}
_WAITS: Any = {"timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=5)}


class Bucket:
    """Files below a prefix of a bucket.

    Args:
        url: as in `s3://bucket/prefix`.
        public_endpoint: the store as callers reach it, if they do.
    """

    def __init__(self, url: str, public_endpoint: str | None) -> None:
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._store = self._opened(os.environ.get("AWS_ENDPOINT_URL"))
        self._public = self._opened(public_endpoint) if public_endpoint else None
        self._public_endpoint = (public_endpoint or "").rstrip("/")

    async def begin(self) -> None:
        """See Store: S3 shows nothing that is not whole."""

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
        steps = counted.steps()
        first, is_all = await anext(steps)
        kind = content_type(first, claimed)

        async def all_of_it() -> AsyncIterator[bytes]:
            step, is_last = first, is_all
            while True:
                await asyncio.to_thread(counted.see, step)
                yield step
                if is_last:
                    return
                step, is_last = await anext(steps)

        await self._store.put_async(
            key,
            all_of_it(),
            # For those who get it from the store itself: only pictures of pixels are shown.
            attributes={
                "Content-Type": kind if kind in RASTER else OTHER,
                "Content-Disposition": "inline" if kind in RASTER else "attachment",
            },
            chunk_size=_PART,
            max_concurrency=_PARTS_AT_ONCE,
        )
        return counted.written()

    async def open(
        self, key: str, start: int, end: int, *, step: int = STEP
    ) -> AsyncIterator[bytes]:
        """See Store; a step is a request, so none is smaller than usual."""
        step = max(step, STEP)
        return await piece_by_piece(lambda at: self._range(key, at, min(at + step, end)), start)

    async def delete(self, keys: Iterable[str]) -> None:
        """See Store."""
        for key in keys:
            try:
                await self._store.delete_async(key)
            except (FileNotFoundError, NotFoundError):
                continue

    async def written_before(self, when: float) -> AsyncIterator[list[str]]:
        """See Store."""
        async for portion in self._store.list():
            yield [meta["path"] for meta in portion if meta["last_modified"].timestamp() < when]

    async def presigned(self, key: str, seconds: float) -> str | None:
        """See Store."""
        if self._public is None or seconds < 1:
            return None
        lasts = timedelta(seconds=int(min(seconds, _LONGEST_PRESIGNED)))
        return await obstore.sign_async(self._public, "GET", key, lasts)

    def key_of(self, url: str) -> str | None:
        """See Store."""
        within = f"{self._public_endpoint}/{self._bucket}/"
        if not self._public_endpoint or not url.startswith(within):
            return None
        return urlsplit(url).path.rpartition("/")[2]

    def _opened(self, endpoint: str | None) -> S3Store:
        return S3Store(
            self._bucket,
            prefix=self._prefix or None,
            endpoint=endpoint,
            client_options=_WAITS | {"allow_http": (endpoint or "").startswith("http:")},
            retry_config=_RETRIES,
        )

    async def _range(self, key: str, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        try:
            found = await self._store.get_range_async(key, start=start, end=end)
        except NotFoundError as error:
            raise FileNotFoundError(key) from error
        return bytes(found)
