"""What travels under the SDK, and whether it may have been billed when it fails."""

import asyncio
import io
import os
import resource
import ssl
import threading
from pathlib import Path

import aiohttp
import httpx2
import pytest
import trustme

from gpt_image.errors import BadSettings
from gpt_image.upstream.transport import AiohttpTransport, in_terms_of_httpx2
from tests.support.loopback import Answer, stand_in


class WatchedFile(io.BytesIO):
    """Remembers which threads read it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.readers: set[int] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.readers.add(threading.get_ident())
        return super().read(size)


def test_an_upload_arrives_whole_and_is_not_read_on_the_event_loop() -> None:
    content = b"".join(n.to_bytes(4, "big") for n in range(800_000))  # several steps
    files = [WatchedFile(content), WatchedFile(b"small")]
    loops_thread = threading.get_ident()

    async def upload(url: str) -> None:
        async with httpx2.AsyncClient(transport=AiohttpTransport()) as client:
            parts = [("image[]", ("image.png", file, "image/png")) for file in files]
            answer = await client.post(url, data={"prompt": "A lighthouse"}, files=parts)
            assert answer.status_code == 200

    with stand_in() as upstream:
        upstream.answer = lambda _: Answer(body=b"{}")
        asyncio.run(upload(upstream.root))

    (request,) = upstream.requests
    assert content in request.body
    assert b"small" in request.body
    assert all(file.readers and loops_thread not in file.readers for file in files)


EXCEPTIONS = {
    name: kind
    for name, kind in vars(aiohttp.client_exceptions).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}

# A "late" one is a timeout, and the error says so. Redirects and web sockets cannot come up.
TABLE = {
    "ClientConnectionError": "broken",
    "ClientConnectionResetError": "broken",
    "ClientConnectorCertificateError": "broken",
    "ClientConnectorDNSError": "broken",
    "ClientConnectorError": "broken",
    "ClientConnectorSSLError": "broken",
    "ClientError": "broken",
    "ClientHttpProxyError": "broken",
    "ClientOSError": "broken",
    "ClientPayloadError": "broken",
    "ClientProxyConnectionError": "broken",
    "ClientResponseError": "broken",
    "ClientSSLError": "broken",
    "ConnectionTimeoutError": "late",
    "ContentTypeError": "broken",
    "InvalidURL": "broken",
    "InvalidUrlClientError": "broken",
    "InvalidUrlRedirectClientError": "redirect",
    "NonHttpUrlClientError": "broken",
    "NonHttpUrlRedirectClientError": "redirect",
    "RedirectClientError": "redirect",
    "ServerConnectionError": "broken",
    "ServerDisconnectedError": "broken",
    "ServerFingerprintMismatch": "broken",
    "ServerTimeoutError": "late",
    "SocketTimeoutError": "late",
    "TooManyRedirects": "redirect",
    "UnixClientConnectorError": "broken",
    "UploadAbortedError": "broken",
    "WSMessageTypeError": "web socket",
    "WSServerHandshakeError": "web socket",
}


def test_the_table_holds_every_exception_of_aiohttp() -> None:
    """One that aiohttp adds needs a look: what does it say of the bill?"""
    assert sorted(EXCEPTIONS) == sorted(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_only_without_a_connection_is_a_failure_safe_to_repeat(name: str) -> None:
    kind = EXCEPTIONS[name]
    error = kind.__new__(kind)  # each constructor wants something else, and nothing of it is read
    late = TABLE[name] == "late"

    before = in_terms_of_httpx2(error, is_connected=False)
    after = in_terms_of_httpx2(error, is_connected=True)

    assert type(before) is (httpx2.ConnectTimeout if late else httpx2.ConnectError)
    assert type(after) is (httpx2.ReadTimeout if late else httpx2.ReadError)


async def post(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=AiohttpTransport(), timeout=5) as client:
        return await client.post(url, json={})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/v1",
        "http://no-such-host.invalid/v1",
        f"http://{'a' * 64}.example/v1",
    ],
    ids=["refused", "a name that nobody has", "a name that nobody can have"],
)
def test_what_was_not_reached_has_not_billed(url: str) -> None:
    with pytest.raises(httpx2.ConnectError):
        asyncio.run(post(url))


def test_a_certificate_that_nobody_vouches_for_is_met_before_anything_is_sent() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async def try_it() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            with pytest.raises(httpx2.ConnectError):
                await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")

    asyncio.run(try_it())
    assert not any(heard)


@pytest.mark.parametrize("broken", ["no-such-file", "no-certificates"])
def test_certificates_that_cannot_be_read_stop_the_start(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-certificates").write_text("not one")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / broken))
    with pytest.raises(BadSettings, match="SSL_CERT_FILE"):
        AiohttpTransport()


def test_without_descriptors_left_nothing_was_billed() -> None:
    """A worker with too many open files."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def try_it(url: str) -> None:
        async with httpx2.AsyncClient(transport=AiohttpTransport(), timeout=5) as client:
            lowest_free = os.dup(0)
            os.close(lowest_free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limit[1]))
            try:
                with pytest.raises(httpx2.ConnectError):
                    await client.post(url, json={})
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)

    with stand_in() as upstream:
        asyncio.run(try_it(upstream.root))
    assert not upstream.requests
