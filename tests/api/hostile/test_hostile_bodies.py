"""Bodies that no client sends: a clear refusal at once, and the API goes on as before."""

import json
import select
import socket
import threading
import time

import psutil
import pytest

from dev.servers.api import Api
from tests.api.hostile.conftest import BODY_SECONDS, GOOD, MOST_BYTES
from tests.api.hostile.raw_caller import RawCaller, first_status
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until


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


@pytest.mark.parametrize("value", [b"[],", b"{},", b"1,", b'"",'])
def test_a_body_of_very_many_values_is_refused(raw: RawCaller, value: bytes) -> None:
    many = value * (MOST_BYTES // len(value) - 100)
    body = b'{"input": {"prompt": "x", "input_images": [' + many + b"1]}}"
    assert raw.sent(body) == 400


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
    assert time.monotonic() - started < BODY_SECONDS + 10


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
        assert raw.sent(GOOD) == 201
        # Some are still waited for, so nobody waited for their end.
        assert len(select.select(slow, [], [], 0)[0]) < len(slow)
        assert [first_status(connection) for connection in slow] == [400] * len(slow)
    finally:
        for connection in slow:
            connection.close()
    assert api.server
    process = psutil.Process(api.server.process.pid)
    wait_until(lambda: process.num_fds() <= 150)
