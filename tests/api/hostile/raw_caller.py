"""A caller on a bare socket: the test says every byte."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.api.replicate_caller import MODEL, ReplicateCaller

CREATE = f"/v1/models/{MODEL}/predictions"


@dataclass
class RawCaller:
    address: tuple[str, int]
    token: str

    @classmethod
    def like(cls, caller: ReplicateCaller) -> "RawCaller":
        host, _, port = caller.url.removeprefix("http://").partition(":")
        return cls((host, int(port)), caller.token)

    def head(self, *headers: str, request: str = f"POST {CREATE} HTTP/1.1") -> bytes:
        lines = [request, "Host: x", f"Authorization: Bearer {self.token}", *headers, "", ""]
        return "\r\n".join(lines).encode("latin-1")

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(self.address, timeout=15) as connection:
            yield connection

    def status(self, *pieces: bytes) -> int | None:
        """The status of the first answer to these bytes; None where the connection was closed."""
        with self.connected() as connection:
            with suppress(ConnectionError):  # it may have seen enough
                for piece in pieces:
                    connection.sendall(piece)
            return first_status(connection)

    def sent(self, body: bytes, *headers: str) -> int | None:
        """The status of the answer to a whole request."""
        return self.status(self.head(f"Content-Length: {len(body)}", *headers) + body)


def first_status(connection: socket.socket) -> int | None:
    """The status of the next answer; None where the connection was closed without one."""
    answer = b""
    with suppress(ConnectionError):
        while b"\r\n" not in answer and (piece := connection.recv(1 << 16)):
            answer += piece
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None
