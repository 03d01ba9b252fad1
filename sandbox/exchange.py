"""One request and its answer, as bytes on the wire."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sandbox.connection import Connection

_PIECES = 20


class PeerGone(Exception):
    """The client closed the connection before it had its answer."""


class Exchange:
    """Reads a request and writes its answer, whole or badly."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.request = Request(scope, receive)
        self.connection: Connection = scope["state"]["connection"]
        self._send = send
        self._started = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raises ``PeerGone``."""
        try:
            async for chunk in self.request.stream():
                yield chunk
        except ClientDisconnect as error:
            raise PeerGone from error

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status and headers, once."""
        if self._started:
            return
        self._started = True
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer, or its body if the headers are out already.

        Returns when the kernel has all of it; raises ``PeerGone`` when the client left before.
        """
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
        await self._flush()

    async def send_slowly(
        self, status: int, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> None:
        """Send a whole answer in small pieces over ``seconds``."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        step = len(body) // _PIECES + 1
        for begin in range(0, len(body), step):
            await self.send_piece(body[begin : begin + step])
            await asyncio.sleep(seconds / _PIECES)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        await self._flush()

    async def send_half(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Announce a whole answer and send the first half."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.send_piece(body[: len(body) // 2])

    async def send_piece(self, piece: bytes) -> None:
        """Send a part of the body; raises ``PeerGone``."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._flush()

    async def _flush(self) -> None:
        if not await self.connection.flush():
            raise PeerGone
