"""A server that takes whatever is sent to it: uploads and webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    path: str
    content_type: str
    body: bytes


@contextmanager
def sink(host: str) -> Iterator[tuple[str, list[Received]]]:
    """Listen while the block runs; yields the address, and what has come so far."""
    received: list[Received] = []

    class Sink(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(Received(self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer((host, 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}/", received
        server.shutdown()
