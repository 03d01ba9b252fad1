"""Small servers that a prediction talks to besides the upstream: files, webhooks, uploads."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """An address that refuses connections, and that no other process gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class _Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def file_server(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serves each path's bytes; other paths are 404, and other methods 405."""

    class Files(_Handler):
        def do_GET(self) -> None:
            found = files.get(self.path.partition("?")[0])
            self.answer(404) if found is None else self.answer(200, found)

        def do_POST(self) -> None:
            self.body()  # else the answer is lost in a reset
            self.answer(405)

    with _serving(Files) as url:
        yield url


@dataclass
class Webhooks:
    """What arrived so far, oldest first."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(
        self, condition: Callable[[dict[str, Any]], bool], within: float = 60
    ) -> dict[str, Any]:
        """The first body that meets the condition."""
        give_up = time.monotonic() + within
        while time.monotonic() < give_up:
            for body in list(self.bodies):
                if condition(body):
                    return body
            time.sleep(0.01)
        raise AssertionError(f"no such webhook among {self.bodies}")

    def wait_for_count(self, count: int) -> None:
        """Until so many predictions have ended."""
        ends = {"succeeded", "failed", "canceled"}
        self.wait_for(lambda _: sum(b["status"] in ends for b in self.bodies) >= count)

    def completed(self, id: str, within: float = 60) -> dict[str, Any]:
        ends = {"succeeded", "failed", "canceled"}
        return self.wait_for(lambda b: b.get("id") == id and b["status"] in ends, within)


@contextmanager
def webhook_receiver() -> Iterator[Webhooks]:
    bodies: list[dict[str, Any]] = []

    class Receiver(_Handler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.body()))
            self.answer(200)

    with _serving(Receiver) as url:
        yield Webhooks(url, bodies)


@dataclass
class Uploads:
    """What was put, by name."""

    url: str
    files: dict[str, bytes]


@contextmanager
def upload_receiver() -> Iterator[Uploads]:
    files: dict[str, bytes] = {}

    class Receiver(_Handler):
        def do_PUT(self) -> None:
            files[self.path.rpartition("/")[2]] = self.body()
            self.answer(200)

    with _serving(Receiver) as url:
        yield Uploads(url, files)


@contextmanager
def raw_server(behave: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[str]:
    """A server that reads each request's head and leaves what it says to the test."""

    class Raw(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            with suppress(OSError):
                while not connection.recv(65536).endswith(b"\r\n\r\n"):
                    pass
                behave(connection)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((host, 0), Raw) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Received:
    """A request that reached a stand-in."""

    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a stand-in answers; pieces are sent as they come, without a length."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StandIn:
    """A server whose every answer is the test's choice, as upstream and as file server."""

    root: str
    answer: Callable[[Received], Answer] = lambda _: Answer(status=404)
    requests: list[Received] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def stand_in() -> Iterator[StandIn]:
    here: StandIn

    class Whatever(_Handler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, self.body())
            here.requests.append(received)
            chosen = here.answer(received)
            self.send_response(chosen.status)
            for name, value in chosen.headers.items():
                self.send_header(name, value)
            pieces = [chosen.body] if isinstance(chosen.body, bytes) else chosen.body
            if isinstance(chosen.body, bytes):
                self.send_header("Content-Length", str(len(chosen.body)))
            self.end_headers()
            # A client that has seen enough leaves.
            with suppress(ConnectionError):
                for piece in pieces:
                    self.wfile.write(piece)

        do_POST = do_GET

    with _serving(Whatever) as url:
        here = StandIn(url)
        yield here
