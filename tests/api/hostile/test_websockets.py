"""WebSockets that no client opens: bare frames, fragments, silence; and what becomes of them."""

import base64
import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from dev.servers.api import Api, api_before
from tests.api.conftest import CogBehind
from tests.api.hostile.conftest import BODY_SECONDS, MOST_BYTES
from tests.api.hostile.raw_caller import RawCaller
from tests.api.kept import Kept

TEXT, BINARY, CLOSE, PING, PONG, CONTINUED = 1, 2, 8, 9, 10, 0
PING_SECONDS = 3.0


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    settings = kept.settings | {
        "API_BODY_SECONDS": str(BODY_SECONDS),
        "API_MAX_BODY_BYTES": str(MOST_BYTES),
        "API_MAX_BODIES_BYTES": str(2 * MOST_BYTES),
        "API_WEBSOCKET_PING_SECONDS": str(PING_SECONDS),
    }
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


@dataclass
class RawSocket:
    connection: socket.socket
    unread: bytes = b""
    answers_pings: bool = True

    def send(self, content: bytes, kind: int = TEXT, *, last: bool = True) -> None:
        self.connection.sendall(head(len(content), kind, last=last) + content)

    def received(self) -> dict[str, object] | None:
        """The next message; None once the connection is closed."""
        give_up = time.monotonic() + 20
        while True:
            assert time.monotonic() < give_up, "nothing but pings"
            start = self._read(2)
            if start is None:
                return None
            length = start[1] & 127
            if length > 125:
                length = int.from_bytes(self._read(2 if length == 126 else 8) or b"")
            content = self._read(length) or b""
            if start[0] & 15 == PING and self.answers_pings:
                self.send(content, PONG)
            if start[0] & 15 == CLOSE:
                return {"closed": struct.unpack("!H", content[:2])[0] if content else 0}
            if start[0] & 15 in {TEXT, BINARY}:
                return dict(json.loads(content))

    def _read(self, count: int) -> bytes | None:
        with suppress(ConnectionError):
            while len(self.unread) < count:
                piece = self.connection.recv(1 << 16)
                if not piece:
                    return None
                self.unread += piece
            found, self.unread = self.unread[:count], self.unread[count:]
            return found
        return None


def head(length: int, kind: int = TEXT, *, last: bool = True) -> bytes:
    """That of a frame whose mask changes nothing."""
    sized = struct.pack("!BBQ", kind | (128 if last else 0), 128 | 127, length)
    return sized + bytes(4)


@contextmanager
def opened(raw: RawCaller) -> Iterator[RawSocket]:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        *("GET /v1 HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket"),
        *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""),
    ]
    with raw.connected() as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 101")
        yield RawSocket(connection)


def key(raw: RawCaller) -> bytes:
    return json.dumps([{"taskType": "authentication", "apiKey": raw.token}]).encode()


@contextmanager
def admitted(raw: RawCaller) -> Iterator[RawSocket]:
    with opened(raw) as websocket:
        websocket.send(key(raw))
        assert "data" in (websocket.received() or {})
        yield websocket


def test_a_message_in_fragments_is_one_message(raw: RawCaller) -> None:
    whole = key(raw)
    with opened(raw) as websocket:
        for place, byte in enumerate(whole):
            kind, last = (CONTINUED if place else TEXT), place == len(whole) - 1
            websocket.send(bytes([byte]), kind, last=last)
            if place == 3:
                websocket.send(b"between", PING)
        assert "data" in (websocket.received() or {})


def test_a_message_in_too_many_fragments_is_refused(raw: RawCaller) -> None:
    with admitted(raw) as websocket, suppress(ConnectionError):
        websocket.send(b"[", last=False)
        for _ in range(3000):
            websocket.send(b" ", CONTINUED, last=False)
        assert websocket.received() in ({"closed": 1009}, None)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "announced"])
def test_before_authentication_a_frame_is_small(raw: RawCaller, whole: bool) -> None:
    large = b" " * (65 << 10) if whole else b" " * (64 << 10) + b" "
    with opened(raw) as websocket, suppress(ConnectionError):
        size = len(large) if whole else MOST_BYTES
        websocket.connection.sendall(head(size) + large)
        assert websocket.received() in ({"closed": 1009}, None)


def test_afterwards_it_may_be_as_large_as_a_body(raw: RawCaller) -> None:
    with admitted(raw) as websocket:
        ping = b'[{"taskType": "ping", "ping": true}]'
        websocket.send(ping + b" " * (MOST_BYTES - len(ping)))
        assert websocket.received() == {"data": [{"taskType": "ping", "pong": True}]}
        with suppress(ConnectionError):
            websocket.connection.sendall(head(MOST_BYTES + 1))
            assert websocket.received() in ({"closed": 1009}, None)


def test_all_that_is_on_its_way_is_bounded_together(raw: RawCaller) -> None:
    nearly = b" " * (MOST_BYTES - 1)
    with admitted(raw) as first, admitted(raw) as second, admitted(raw) as third:
        all_of_them = [first, second, third]
        for websocket in all_of_them:
            with suppress(ConnectionError):
                websocket.connection.sendall(head(MOST_BYTES) + nearly)
            websocket.connection.settimeout(0.2)
        closed: list[object] = []
        give_up = time.monotonic() + 15
        while not closed and time.monotonic() < give_up:
            for websocket in all_of_them:
                with suppress(TimeoutError):
                    closed.append(websocket.received())
        assert closed
        assert all(each in ({"closed": 1013}, None) for each in closed)


BROKEN = {
    "no mask": b"\x81\x02[]",
    "a reserved bit": b"\xf1\x80\x00\x00\x00\x00",
    "an unknown kind": b"\x83\x80\x00\x00\x00\x00",
    "a continuation of nothing": b"\x80\x80\x00\x00\x00\x00",
    "a ping of 200 bytes": b"\x89\xfe\x00\xc8\x00\x00\x00\x00" + b"x" * 200,
    "a length below zero": b"\x81\xff" + b"\xff" * 8 + bytes(4),
    "a close of one byte": b"\x88\x81\x00\x00\x00\x00\x03",
    "no frame": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
def test_what_is_no_frame_ends_the_connection(raw: RawCaller, frame: bytes) -> None:
    with opened(raw) as websocket, suppress(ConnectionError):
        websocket.connection.sendall(frame)
        answer = websocket.received()
        assert answer is None or "closed" in answer


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 60_000,
        b"null",
        b"[[]]",
        b'"x"',
        b"[1e999]",
        b"[" + b"0," * 9000,
    ],
    ids=["nothing", "no text", "no JSON", "deep", "null", "a list", "a string", "infinity", "cut"],
)
@pytest.mark.parametrize("knows_the_key", [True, False], ids=["with a key", "without"])
def test_what_is_no_task_is_told(raw: RawCaller, content: bytes, knows_the_key: bool) -> None:
    with admitted(raw) if knows_the_key else opened(raw) as websocket:
        websocket.send(content, BINARY if content[:1] == b"\xff" else TEXT)
        assert "errors" in (websocket.received() or {})


def test_a_frame_of_very_many_tasks_is_refused_at_once(raw: RawCaller) -> None:
    with admitted(raw) as websocket:
        websocket.send(json.dumps([{"taskType": "ping", "ping": True}] * 5000).encode())
        assert "maxTasksExceeded" in str(websocket.received())


def test_who_never_authenticates_is_sent_away(raw: RawCaller) -> None:
    with opened(raw) as websocket:
        assert websocket.received() in ({"closed": 1008}, {"closed": 1011}, None)


def test_who_never_answers_pings_is_sent_away(raw: RawCaller) -> None:
    with admitted(raw) as websocket:
        websocket.answers_pings = False
        assert websocket.received() in ({"closed": 1011}, None)


def test_who_closes_half_is_gone(raw: RawCaller) -> None:
    for cut in (b"", b"\x81", head(100) + b"[{", head(5)):
        with opened(raw) as websocket:
            websocket.connection.sendall(cut)
            websocket.connection.shutdown(socket.SHUT_WR)
            answer = websocket.received()
            assert answer is None or "closed" in answer


def test_who_resets_in_the_middle_of_a_message_is_forgotten(raw: RawCaller) -> None:
    for _ in range(20):
        with admitted(raw) as websocket:
            websocket.connection.sendall(head(MOST_BYTES) + b" " * (MOST_BYTES // 2))
            websocket.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
    with admitted(raw) as websocket:  # nothing of what was lost is still counted
        websocket.send(b"[]" + b" " * (MOST_BYTES - 2))
        assert "errors" in (websocket.received() or {})


def test_a_websocket_anywhere_else_is_refused(raw: RawCaller) -> None:
    lines = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    for path in ("/v1/predictions", "/health/live", "/v2"):
        request = f"GET {path} HTTP/1.1"
        status = raw.status(
            raw.head(lines, "Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==", request=request)
        )
        assert status in {403, 404}
