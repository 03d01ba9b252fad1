"""Fetches an image that a gateway answered with as a URL: it is paid for, so it is not given up
lightly, and the URL is a stranger's, so it gets nothing of ours."""

import re
import urllib.request
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from ipaddress import IPv6Address
from pathlib import Path
from socket import AF_INET, AF_INET6, AddressFamily
from ssl import SSLContext
from typing import BinaryIO

import aiohttp
import httpx2
import tenacity
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gpt_image.deadline import Deadline
from gpt_image.image_limits import MAX_OUTPUT_BYTES, TOO_LARGE
from gpt_image.output_images.guard import Address, Guard, HostNotFound, Network, Origin
from gpt_image.output_images.unusable import Unusable
from gpt_image.threads import in_thread

_CONNECT_TIMEOUT = 5.0  # seconds
_READ_TIMEOUT = 30.0  # seconds between two reads
_ATTEMPTS = 4
_MOST_HOPS = 10  # the first address and its redirects
_STEP = 1 << 20  # bytes
_LONGEST_HEADER = 64 << 10  # bytes; signed addresses in a Location exceed aiohttp's 8,190

_REDIRECTS = {301, 302, 303, 307, 308}
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


class _HttpError(Exception):
    pass


_MAY_PASS = (aiohttp.ClientError, HostNotFound, _HttpError)


class Fetcher:
    """Fetches on the event loop, so that a deadline or cancel ends it at once, without a thread."""

    def __init__(self, networks: Sequence[Network], guard: Guard | None = None) -> None:
        """`networks` are not public and may be fetched from all the same."""
        self._guard = guard or Guard(networks)
        # Read here because aiohttp would do it for each request, and .netrc with it.
        self._proxies = urllib.request.getproxies()

    async def fetch(self, url: str, file: Path, deadline: Deadline, upstream: Origin) -> None:
        """Write what `url` serves to `file`, before the deadline.

        Repeats what fails, since fetching is free.

        Args:
            upstream: where the URL came from; it may be fetched from wherever it lies.

        Raises:
            Unusable: no attempt got it.
            OSError: it cannot be stored.
        """
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_MAY_PASS),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(_ATTEMPTS),
                tenacity.stop_before_delay(deadline.seconds_left),
            ),
            wait=tenacity.wait_exponential(0.5, max=8),
            reraise=True,
        )
        try:
            async with deadline.timeout():
                await attempts(self._fetch_once, _parsed(url), file, upstream)
        except (HostNotFound, _HttpError) as error:
            raise Unusable(f"could not be fetched ({error})") from None
        except aiohttp.ClientError as error:
            raise Unusable(f"could not be fetched ({type(error).__name__})") from None
        except TimeoutError:
            raise Unusable("was not fetched before the deadline") from None

    async def _fetch_once(self, url: URL, file: Path, upstream: Origin) -> None:
        for _ in range(_MOST_HOPS):
            async with self._answer(url, upstream) as answer:
                if answer.status in _REDIRECTS and (place := answer.headers.get("Location")):
                    url = url.join(_parsed_reference(place))
                    _check_scheme(url)
                    continue  # whatever else it says is not read
                if not 200 <= answer.status < 300:
                    raise _HttpError(f"HTTP {answer.status}")
                await _copy(answer, file)
                return
        raise Unusable("was redirected too often")

    @asynccontextmanager
    async def _answer(self, url: URL, upstream: Origin) -> AsyncIterator[aiohttp.ClientResponse]:
        origin = (url.raw_host or "", url.port or 0)
        proxy = self._proxy_for(url)
        resolver = None
        if proxy:
            self._guard.check_literal(origin, upstream)
        else:
            resolver = _Resolved(await self._guard.addresses(origin, upstream))
        # A session for each request: what one server says or keeps open concerns no other.
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=resolver, use_dns_cache=False, force_close=True, ssl=self._tls
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # it has no limit that fits an image
                timeout=aiohttp.ClientTimeout(
                    sock_connect=_CONNECT_TIMEOUT, sock_read=_READ_TIMEOUT
                ),
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                headers={"Accept-Encoding": "identity"},
            ) as session,
            session.get(url, proxy=proxy, allow_redirects=False) as answer,
        ):
            yield answer

    @cached_property
    def _tls(self) -> SSLContext:
        return httpx2.create_ssl_context()

    def _proxy_for(self, url: URL) -> str | None:
        proxy = self._proxies.get(url.scheme)
        return proxy if proxy and not urllib.request.proxy_bypass(url.raw_host or "") else None


def _parsed(url: str) -> URL:
    address = _parsed_reference(url)
    _check_scheme(address)
    return address


def _parsed_reference(text: str) -> URL:
    try:
        # A signature covers the escapes as they stand; whoever wrote none left that to us.
        return URL(text, encoded=re.fullmatch("[!-~]+", text) is not None)
    except ValueError:
        raise Unusable("came as an address that cannot be read") from None


def _check_scheme(url: URL) -> None:
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise Unusable("came as an address that is neither http nor https")


class _Resolved(AbstractResolver):
    """Answers with the addresses that the guard has checked."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=AF_INET6 if isinstance(address, IPv6Address) else AF_INET,
                proto=0,
                flags=0,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


async def _copy(answer: aiohttp.ClientResponse, file: Path) -> None:
    copy = await in_thread(_Copy, file, answer.headers.get("Content-Encoding", "").lower())
    try:
        while step := await answer.content.read(_STEP):
            await in_thread(copy.write, step)
    finally:
        await in_thread(copy.close)


class _Copy:
    """Writes a body to a file, decoded where the server compressed it unasked."""

    def __init__(self, file: Path, encoding: str) -> None:
        self._file: BinaryIO = file.open("wb")
        compressed = encoding in {"gzip", "x-gzip", "deflate"}
        self._decoder = zlib.decompressobj(_ZLIB_OR_GZIP) if compressed else None
        self._left = MAX_OUTPUT_BYTES

    def write(self, step: bytes) -> None:
        if self._decoder:
            try:
                step = self._decoder.decompress(step, self._left + 1)
            except zlib.error:
                raise Unusable("is damaged") from None
        self._left -= len(step)
        if self._left < 0:
            raise Unusable(TOO_LARGE)
        self._file.write(step)

    def close(self) -> None:
        self._file.close()
