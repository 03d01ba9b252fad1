"""What nobody's client sends: a clear refusal at once, and the API goes on as before."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from dev.api_server import Api
from dev.servers import free_port, get
from tests.api.conftest import CogBehind
from tests.api.raw_caller import RawCaller, first_status
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

BODY_SECONDS = 2.0
MOST_BYTES = 3_000_000
GOOD = b'{"input": {"prompt": "A lighthouse at dusk"}}'


@pytest.fixture(scope="module")
def api(cog_behind: CogBehind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with little patience."""
    settings = {
        "API_BODY_SECONDS": str(BODY_SECONDS),
        "API_MAX_BODY_BYTES": str(MOST_BYTES),
        "API_MAX_BODIES_BYTES": str(4 * MOST_BYTES),
    }
    api = Api(
        tmp_path_factory.mktemp("api"),
        cog_behind.server.url,
        cog_behind.worker_port,
        cog_behind.outputs,
        free_port(),
        settings=settings,
    )
    try:
        api.start()
        yield api
    finally:
        api.stop()


@pytest.fixture
def raw(caller: ReplicateCaller) -> RawCaller:
    return RawCaller.like(caller)


@pytest.fixture(autouse=True)
def goes_on_as_before(api: Api, sandbox: Sandbox) -> Iterator[None]:
    """After each test the API is ready, and its log tells of nothing unforeseen."""
    assert api.server
    before = len(api.server.log)
    yield
    assert get(f"{api.url}/health/ready")[0] == 200
    told = api.server.log[before:]
    assert "Traceback" not in told
    assert '"level": "error"' not in told


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    value = opening * depth + closing * depth
    return b'{"input": {"prompt": "x", "input_images": ' + value + b"}}"


WRONG_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "a null": b"null",
    "a byte order mark": b"\xef\xbb\xbf" + b"{",
    "no UTF-8": b'{"input": {"prompt": "\xff\xfe"}}',
    "NaN": b'{"input": {"prompt": "x", "output_compression": NaN}}',
    "infinity": b'{"input": {"prompt": "x", "output_compression": 1e999}}',
    "minus infinity": b'{"input": {"prompt": "x", "output_compression": -Infinity}}',
    "a number of 5,000 digits": b'{"input": {"prompt": "x", "output_compression": '
    + b"9" * 5000
    + b"}}",
    "lists 100 deep": nested(100),
    "lists 100,000 deep": nested(100_000),
    "objects 100,000 deep": nested(100_000, b'{"a":', b"}").replace(b":}", b":1}"),
    "lists that never end": b"[" * 1_000_000,
    "two values": b'{"input": {}} {"input": {}}',
    "a NUL outside of a string": b'{"input": \x00}',
    "NULs": b"\x00" * 1000,
    "UTF-16": '{"input": {}}'.encode("utf-16"),
    "UTF-32 that is no object": "[]".encode("utf-32"),
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_wrong_body_is_refused(raw: RawCaller, sandbox: Sandbox, body: bytes) -> None:
    assert raw.sent(body, "Content-Type: application/json") in {400, 422}
    assert sandbox.ledger == []


STRANGE_TEXTS = {
    "NUL": "\\u0000",
    "NUL in the middle": "light\\u0000house",
    "a half character": "\\ud83d",
    "the other half": "\\udc00 and on",
    "halves in the wrong order": "\\udc00\\ud83d",
    "what is no character": "\\uffff\\ufffe",
    "right to left": "\\u202e\\u2066",
    "escapes": "\\u001b[2J\\u0007\\r\\n",
}


@pytest.mark.parametrize("text", STRANGE_TEXTS.values(), ids=STRANGE_TEXTS)
@pytest.mark.parametrize("place", ["prompt", "user_id", "openai_api_key", "unknown", "webhook"])
def test_strange_text_is_taken_or_refused_everywhere(
    caller: ReplicateCaller, text: str, place: str
) -> None:
    inputs = {"prompt": "A lighthouse"} | ({} if place == "webhook" else {place: "TEXT"})
    whole: dict[str, object] = {"input": inputs}
    if place == "webhook":
        whole["webhook"] = "http://192.0.2.1/TEXT"
    body = json.dumps(whole).replace("TEXT", text).encode()
    answer = caller.session.post(
        f"{caller.url}/v1/models/openai/gpt-image-2/predictions", data=body, timeout=20
    )
    assert answer.status_code in {201, 422}
    if answer.status_code == 201:
        prediction = caller.ended(answer.json()["id"])
        assert prediction["status"] in {"succeeded", "failed"}
        assert prediction["id"] in {
            each["id"] for each in caller.get("predictions").json()["results"]
        }


@pytest.mark.parametrize("name", ["\\ud83d", "\\u0000", "a" * 100_000, "__proto__", ""])
def test_strange_names_are_dropped_or_refused(raw: RawCaller, name: str) -> None:
    body = f'{{"input": {{"prompt": "x", "{name}": 1}}, "{name}": 2}}'.encode()
    assert raw.sent(body) in {201, 422}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "\xff"],
)
def test_the_content_type_of_json_does_not_matter(raw: RawCaller, content_type: str) -> None:
    assert raw.sent(GOOD, f"Content-Type: {content_type}") == 201


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, identity", "x" * 500])
@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/files"])
def test_a_compressed_body_is_not_unpacked(raw: RawCaller, encoding: str, path: str) -> None:
    headers = (
        f"Content-Encoding: {encoding}",
        "Content-Length: 4",
        "Content-Type: multipart/form-data; boundary=a",
    )
    head = raw.head(*headers, request=f"POST {path} HTTP/1.1")
    assert raw.status(head + b"\x1f\x8b\x08\x00") == 415


def test_a_body_that_is_larger_than_allowed_is_refused_before_it_has_come(raw: RawCaller) -> None:
    assert raw.status(raw.head(f"Content-Length: {MOST_BYTES + 1}")) == 413
    assert raw.status(raw.head("Content-Length: 99999999999999999999999")) in {400, 413}


def test_a_body_of_unknown_size_is_refused_once_it_is_too_large(raw: RawCaller) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    pieces = [chunk] * (MOST_BYTES // 0x10000 + 2)
    assert raw.status(raw.head("Transfer-Encoding: chunked"), *pieces) == 413


def test_bodies_are_bounded_together(raw: RawCaller) -> None:
    head = raw.head(f"Content-Length: {MOST_BYTES}")
    connections = [socket.create_connection(raw.address, timeout=15) for _ in range(6)]
    try:
        for connection in connections:
            connection.sendall(head + b"x" * (MOST_BYTES - 1))
        statuses = [first_status(connection) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert set(statuses) == {400, 503}
    assert raw.sent(GOOD) == 201


def test_a_body_that_drips_is_given_up(raw: RawCaller) -> None:
    started = time.monotonic()
    with raw.connected() as connection:
        connection.sendall(raw.head("Content-Length: 1000"))
        dripping = threading.Thread(target=_drip, args=(connection,))
        dripping.start()
        assert first_status(connection) == 400
    dripping.join()
    assert time.monotonic() - started < BODY_SECONDS + 3


def _drip(connection: socket.socket) -> None:
    try:
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.1)
    except OSError:
        return


def test_a_file_that_drips_is_given_up(raw: RawCaller) -> None:
    form = (
        b'--a\r\nContent-Disposition: form-data; name="content"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\nx"
    )
    headers = ("Content-Length: 100000", "Content-Type: multipart/form-data; boundary=a")
    with raw.connected() as connection:
        connection.sendall(raw.head(*headers, request="POST /v1/files HTTP/1.1") + form)
        dripping = threading.Thread(target=_drip, args=(connection,))
        dripping.start()
        assert first_status(connection) in {400, 408}
    dripping.join()


def test_many_slow_bodies_hold_up_nobody(raw: RawCaller, api: Api) -> None:
    slow = [socket.create_connection(raw.address, timeout=15) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(raw.head("Content-Length: 1000") + b"{")
        started = time.monotonic()
        assert raw.sent(GOOD) == 201
        assert time.monotonic() - started < 2
        assert [first_status(connection) for connection in slow] == [400] * len(slow)
    finally:
        for connection in slow:
            connection.close()
    assert api.server
    assert psutil.Process(api.server.process.pid).num_fds() < 150


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
