"""An upstream on a bare socket, for what breaks the protocol: the test says every byte."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.cog_client import data_uri, picture


def image_answer(color: str = "teal") -> bytes:
    """A complete answer with one WebP picture in this color."""
    image = data_uri(picture("WEBP", color=color)).partition(",")[2]
    return http(json.dumps({"data": [{"b64_json": image}]}).encode())


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


@dataclass
class Connection:
    """One accepted connection."""

    socket: socket.socket
    requests: list[bytes] = field(default_factory=list)

    def request(self) -> bytes:
        """Read one whole request, head and body; empty where the client has left."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := self.socket.recv(1 << 16)):
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            if not (piece := self.socket.recv(1 << 16)):
                return b""
            body += piece
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def read(self, count: int) -> None:
        """Read so many bytes of a request and no more."""
        while count and (piece := self.socket.recv(count)):
            count -= len(piece)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Close so that the other end sees ECONNRESET and not an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class RawUpstream:
    url: str
    connections: list[Connection] = field(default_factory=list)

    @property
    def requests(self) -> list[bytes]:
        return [request for connection in self.connections for request in connection.requests]


@contextmanager
def raw_upstream(serve: Callable[[Connection], None]) -> Iterator[RawUpstream]:
    """`serve` gets each connection in a thread of its own; afterwards the connection is closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        upstream = RawUpstream(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        threads: list[threading.Thread] = []

        def one(connection: Connection) -> None:
            # The client may leave whenever it has seen enough.
            with connection.socket, suppress(OSError):
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listener.accept()
                    connection = Connection(accepted)
                    upstream.connections.append(connection)
                    threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield upstream
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in upstream.connections:
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
            for thread in [accepting, *threads]:
                thread.join(5)
