"""An answer in pieces, which tells whether its caller got all of it."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send


class Written(Response):
    """Sends the pieces as they come.

    Args:
        note: told at the end whether all was written to a caller who was still there.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        note: Callable[[bool], None],
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        self._pieces = pieces
        self._note = note
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as an ASGI application."""
        request, is_written = Request(scope, receive), False
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            # Asked before the last piece: after it the server takes every caller for gone.
            is_written = not await request.is_disconnected()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._note(is_written)
