"""The wire under the openai SDK: aiohttp, told to the SDK in httpx2's terms.

It takes half the CPU of httpx2's own transport (docs/performance.md). The adapter that the SDK
offers for it reports a connection that broke with the request on its way as a ConnectTimeout,
which reads as "not billed" and would be paid for again; so the errors are told apart here.

Each request has a connection of its own. A gateway that gives up on one caller and lets the late
answer out on the same connection would give it to the next caller, and an idle connection that
closes as a request sets out leaves open whether it was billed. A handshake in every 15 to 280 s
buys both off.
"""

import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
import httpx2

from gpt_image.errors import BadSettings
from gpt_image.threads import in_thread

ERROR_LIMIT = 128 << 10
"""Bytes kept of a body that is no success, decompressed; OpenAI's errors have some hundred."""

_HEADER_LIMIT = 100 << 10  # bytes; what httpx2 takes. aiohttp's 8,190 would lose a paid answer
_HEADER_LINES = 1000

_UPLOAD_STEP = 1 << 20  # bytes read from disk at a time

_READ_BUFFER = 256 << 10  # bytes; with 64 KB a large answer takes a third more CPU


@dataclass
class _Progress:
    """How far a request has come."""

    is_connected: bool = False
    """While this is False nothing has left: a request is sent once its connection is there."""


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Belongs to the event loop that sends the first request."""

    def __init__(self) -> None:
        """Raises BadSettings where there are no certificates to check the upstream's by."""
        self._session: aiohttp.ClientSession | None = None
        self._certificates = _certificates()
        # Read here because aiohttp would do it in a thread for each request, and .netrc with it.
        self._proxies = urllib.request.getproxies()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; ConnectError and ConnectTimeout say that no byte of it has left."""
        timeout = request.extensions["timeout"]
        progress = _Progress()
        with _errors_of_httpx2(progress):
            answer = await self._connected().request(
                request.method,
                str(request.url),
                headers=_headers_of(request),
                data=_body_of(request),
                proxy=self._proxy_for(request.url),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=timeout["connect"], sock_read=timeout["read"]
                ),
                trace_request_ctx=progress,
            )
        headers = [(name, value) for name, value in answer.raw_headers if name.lower() not in _BODY]
        return httpx2.Response(answer.status, headers=headers, stream=_Body(answer))

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _proxy_for(self, url: httpx2.URL) -> str | None:
        proxy = self._proxies.get(url.scheme)
        return proxy if proxy and not urllib.request.proxy_bypass(url.host) else None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(_note_connection)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # Cog's slots are the limit
                    force_close=True,
                    ssl=self._certificates,
                ),
                # What the upstream remembers of one caller must not be told with another's key.
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=_READ_BUFFER,
                max_line_size=_HEADER_LIMIT,
                max_field_size=_HEADER_LIMIT,
                max_headers=_HEADER_LINES,
                trace_configs=[trace],
            )
        return self._session


def _certificates() -> ssl.SSLContext:
    try:
        return httpx2.create_ssl_context()
    except OSError:
        raise BadSettings(
            "The certificates that SSL_CERT_FILE names cannot be read; correct it or remove it, "
            "and start again."
        ) from None


async def _note_connection(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceConnectionCreateEndParams,
) -> None:
    context.trace_request_ctx.is_connected = True


# Of the body as it was on the wire; aiohttp decompresses in bounded steps, which httpx2 does not.
_BODY = {b"content-encoding", b"content-length", b"transfer-encoding"}


def _headers_of(request: httpx2.Request) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in request.headers.multi_items() if name != "connection"]
    return [*kept, ("Connection", "close")]


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
    """The body as it arrives; of an answer that is no success, the first ERROR_LIMIT bytes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = None if 200 <= self._answer.status < 300 else ERROR_LIMIT
        with _errors_of_httpx2(_Progress(is_connected=True)):
            async for chunk in self._answer.content.iter_any():
                yield chunk[:left]
                if left is not None and (left := left - len(chunk)) <= 0:
                    return

    async def aclose(self) -> None:
        self._answer.close()


@contextmanager
def _errors_of_httpx2(progress: _Progress) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise in_terms_of_httpx2(error, progress.is_connected) from error


def in_terms_of_httpx2(error: Exception, is_connected: bool) -> httpx2.TransportError:
    """What the rest of this folder reads an error by: on it hangs whether a call is paid twice.

    Without a connection nothing has left, whatever the exception is called; with one, whatever
    went wrong may have been billed. The texts are left behind: they name addresses.
    """
    timed_out = isinstance(error, TimeoutError)
    if not is_connected:
        return httpx2.ConnectTimeout("") if timed_out else httpx2.ConnectError("")
    return httpx2.ReadTimeout("") if timed_out else httpx2.ReadError("")
