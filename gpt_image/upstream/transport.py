"""The wire under the openai SDK: aiohttp, told to the SDK in httpx2's terms.

It takes half the CPU of httpx2's own transport (docs/performance.md). The adapter that the SDK
offers for it reports a connection that broke with the request on its way as a ConnectTimeout,
which reads as "not billed" and would be paid for again; so the errors are told apart here.
"""

import contextlib
import urllib.request
from collections.abc import AsyncIterator, Iterator

import aiohttp
import httpx2

from gpt_image.threads import in_thread

# Idle connections are dropped before the other end does, because a request that meets a closing
# connection may have been billed. 5 s is the shortest default seen (Node.js and uvicorn).
_KEEPALIVE_SECONDS = 4.0

_UPLOAD_STEP = 1 << 20  # bytes read from disk at a time

_READ_BUFFER = 256 << 10  # bytes; with 64 KB a large answer takes a third more CPU


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """One pool of connections; it belongs to the event loop that sends the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        # Read here because aiohttp would do it in a thread for each request, and .netrc with it.
        self._proxies = urllib.request.getproxies()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; ConnectError and ConnectTimeout say that no byte of it has left."""
        timeout = request.extensions["timeout"]
        with _errors_of_httpx2():
            answer = await self._connected().request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=_body_of(request),
                proxy=self._proxy_for(request.url),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=timeout["connect"], sock_read=timeout["read"]
                ),
            )
        return httpx2.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _proxy_for(self, url: httpx2.URL) -> str | None:
        proxy = self._proxies.get(url.scheme)
        return proxy if proxy and not urllib.request.proxy_bypass(url.host) else None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # Cog's slots are the limit
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                    ssl=httpx2.create_ssl_context(),
                ),
                # What the upstream remembers of one caller must not be told with another's key.
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # httpx2 does
                read_bufsize=_READ_BUFFER,
            )
        return self._session


def _body_of(request: httpx2.Request) -> bytes | AsyncIterator[bytes]:
    try:
        return request.content
    except httpx2.RequestNotRead:  # a form with open files, which are read as they are sent
        assert isinstance(request.stream, httpx2.SyncByteStream)  # noqa: S101 - for the types
        return _read_in_thread(iter(request.stream))


async def _read_in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    # httpx2's own asynchronous stream reads the files on the event loop.
    while step := await in_thread(_next_step, chunks):
        yield step


def _next_step(chunks: Iterator[bytes]) -> bytes:
    step = bytearray()
    for chunk in chunks:
        step += chunk
        if len(step) >= _UPLOAD_STEP:
            break
    return bytes(step)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx2():
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


@contextlib.contextmanager
def _errors_of_httpx2() -> Iterator[None]:
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx2.ConnectError(str(error)) from error
    except aiohttp.ServerTimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except aiohttp.InvalidURL as error:
        raise httpx2.UnsupportedProtocol(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx2.ReadError(str(error)) from error
