"""Headers that no client sends, and bytes that are no HTTP: no 5xx, and nothing is left behind."""

import socket
import struct

import pytest

from dev.servers.api import Api
from tests.api.hostile.conftest import GOOD
from tests.api.hostile.raw_caller import RawCaller, first_status
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

HEADERS = {
    "a header of 1 MB": "X: " + "x" * 1_000_000,
    "10,000 headers": "\r\n".join(f"X-{number}: y" for number in range(10_000)),
    "bytes that are no text": "X: \x80\xff",
    "a negative length": "Content-Length: -1",
    "a length in words": "Content-Length: many",
    "two lengths": "Content-Length: 3\r\nContent-Length: 4",
    "a length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "an unknown transfer": "Transfer-Encoding: rot13",
    "a fold": "X: a\r\n b",
    "a space before the colon": "X : a",
    "a NUL": "X: \x00",
    "no name": ": x",
    "an upgrade": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "HTTP/2": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    "an unknown expectation": "Expect: miracle",
    "a strange wait": "Prefer: wait=99999999999999999999",
    "a wait in words": "Prefer: wait=long",
    "a strange cancel": "Cancel-After: 99999999999999h",
    "a retry count of letters": "X-Stainless-Retry-Count: ²",
    "a retry count of 5,000 digits": "X-Stainless-Retry-Count: " + "9" * 5000,
    "another host": "Host: evil.example",
    "a host that is none": "Host: \x01[::\r\nX: y",
    "a range": "Range: bytes=0-0,1-1,-1",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("request_line", [None, "GET /v1/predictions HTTP/1.1"])
def test_an_odd_header_is_no_5xx(raw: RawCaller, header: str, request_line: str | None) -> None:
    line = request_line or "POST /v1/models/openai/gpt-image-2/predictions HTTP/1.1"
    length = () if "Length" in header or "Transfer" in header else ("Content-Length: 2",)
    status = raw.status(raw.head(header, *length, request=line) + b"{}")
    assert status is None or status < 500


def test_a_huge_token_is_refused(raw: RawCaller) -> None:
    for token in ("x" * 60_000, "\x80\xff", "", "a b", "\x7f"):
        raw.token = token
        assert raw.sent(GOOD) in {400, 401, 431, None}


BROKEN = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a request line of 1 MB": b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "an absolute address": b"GET http://evil.example/v1/account HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "NULs": b"\x00" * 10_000,
    "no path": b"GET  HTTP/1.1\r\n\r\n",
    "a path with NUL": b"GET /v1/predictions/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path that climbs": b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path that is no UTF-8": b"GET /v1/predictions/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in a path": b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a file of ours with NUL": b"GET /files/%00?expiry=1&signature=%00 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_gets_no_5xx(raw: RawCaller, data: bytes) -> None:
    with raw.connected() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        status = first_status(connection)
    assert status is None or 400 <= status < 500


BROKEN_BODIES = {
    "a chunk without a size": b"\r\nhello\r\n",
    "a chunk of a size that is none": b"zz\r\nhello\r\n",
    "a chunk of a huge size": b"ffffffffffffffffffff\r\nhello\r\n",
    "a chunk of a negative size": b"-5\r\nhello\r\n",
    "a chunk that is longer than it says": b"2\r\nhello\r\n0\r\n\r\n",
    "an endless chunk extension": b"5;" + b"x" * 200_000,
}


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_broken_chunks_are_no_5xx(raw: RawCaller, body: bytes) -> None:
    status = raw.status(raw.head("Transfer-Encoding: chunked"), body)
    assert status is None or 400 <= status < 500


def test_a_caller_who_resets_in_the_middle_of_a_body_is_forgotten(
    raw: RawCaller, api: Api, sandbox: Sandbox
) -> None:
    for cut in (0, 1, len(GOOD) - 1):
        for _ in range(20):
            with raw.connected() as connection:
                connection.sendall(raw.head(f"Content-Length: {len(GOOD)}") + GOOD[:cut])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert raw.sent(GOOD) == 201
    sandbox.wait_for(lambda entry: bool(entry["billed"]))
    assert len(sandbox.ledger) == 1


def test_two_requests_in_one_write_are_both_answered(raw: RawCaller) -> None:
    request = raw.head("Content-Length: 2") + b"{}"
    with raw.connected() as connection:
        connection.sendall(request + request)
        answers = b""
        while answers.count(b"HTTP/1.1 422") < 2:
            piece = connection.recv(1 << 16)
            assert piece
            answers += piece


def test_idle_connections_hold_up_nobody(raw: RawCaller, caller: ReplicateCaller) -> None:
    idle = [socket.create_connection(raw.address, timeout=15) for _ in range(300)]
    try:
        assert caller.get("account").ok
    finally:
        for connection in idle:
            connection.close()
