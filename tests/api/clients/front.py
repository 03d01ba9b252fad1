"""What stands between a client and the API: it ends TLS, or cuts a connection."""

import asyncio
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Front:
    """Passes bytes on to the API."""

    def __init__(self, api: str, tls: ssl.SSLContext | None) -> None:
        self.port = 0
        self.posts_to_cut = 0
        """So many POSTs to come are passed on, and their connections cut before the answer."""
        self._api = urlsplit(api)
        self._tls = tls
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._joins: set[asyncio.Task[None]] = set()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        thread.start()
        assert self._up.wait(10)
        return thread

    def cut(self) -> None:
        """Cut every connection that there is."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for join in self._joins:
            join.cancel()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._stop.wait()
        server.close()
        self._cut()
        await asyncio.gather(*self._joins, return_exceptions=True)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        join = self._loop.create_task(self._join(reader, writer))
        self._joins.add(join)
        join.add_done_callback(self._joins.discard)

    async def _join(self, reader: StreamReader, writer: StreamWriter) -> None:
        onward = await asyncio.open_connection(self._api.hostname, self._api.port)
        upwards: asyncio.Task[None] | None = None
        try:
            first = await reader.read(65536)
            onward[1].write(first)
            upwards = self._loop.create_task(_pass_on(reader, onward[1]))
            if self.posts_to_cut and first.startswith(b"POST"):
                self.posts_to_cut -= 1
                await asyncio.sleep(0.5)
            else:
                await _pass_on(onward[0], writer)
        finally:
            if upwards:
                upwards.cancel()
            for end in (writer, onward[1]):
                end.transport.abort()
            await asyncio.sleep(0.01)


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()


@contextmanager
def front_of(api: str, tls: ssl.SSLContext | None = None) -> Iterator[Front]:
    """A front on a port of its own."""
    front = Front(api, tls)
    thread = front.start()
    try:
        yield front
    finally:
        front.stop()
        thread.join()
