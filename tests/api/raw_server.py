"""A server of plain sockets, which sends just the bytes that a test gives it."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Reply = Callable[[bytes], Iterable[bytes]]
"""Takes a request, gives the pieces to send; then the connection is closed."""

PUBLIC = "127.0.0.2"
"""Stands for a public address: the tests allow it, and no other address of this machine."""


@dataclass
class RawServer:
    port: int
    requests: list[bytes] = field(default_factory=list)
    """What came so far, each with its head and its body."""
    names: list[str | None] = field(default_factory=list)
    """The host names that TLS clients asked for."""
    sent: int = 0
    """Bytes that a client has taken, or that wait in its socket."""


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> list[bytes]:
    """A whole answer; a header's name is written with underscores."""
    headers = {"Content_Length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body]


def _whole_request(connection: socket.socket) -> bytes:
    """Empty where the client has gone before."""
    received, missing = b"", 1
    while missing > 0:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
        head, end, body = received.partition(b"\r\n\r\n")
        if end:
            length = re.search(rb"\r\nContent-Length: (\d+)", head)
            missing = int(length[1]) - len(body) if length else 0
    return received


@contextmanager
def raw_server(
    reply: Reply, address: str = PUBLIC, tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    with socket.create_server((address, 0)) as listener:
        server = RawServer(listener.getsockname()[1])
        threads: list[threading.Thread] = []
        if tls:
            tls.sni_callback = lambda _, name, __: server.names.append(name)

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                speaking = tls.wrap_socket(connection, server_side=True) if tls else connection
                if not (request := _whole_request(speaking)):
                    return
                server.requests.append(request)
                for piece in reply(request):
                    speaking.sendall(piece)
                    server.sent += len(piece)
                speaking.close()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(10)
                    threads.append(threading.Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join()
