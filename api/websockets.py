"""WebSockets as the server reads them: bounded before and after their caller is known.

uvicorn's own protocol, with bounds that it does not have: little may be sent before the caller is
known, all that waits in memory counts together, and a message has a bearable number of fragments.
"""

import logging
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from api.settings import Settings

BOUNDS = "api.bounds"
"""The ASGI extension that says when the caller is known: `admit()`."""
_BEFORE_ADMISSION = 64 << 10  # bytes
_MOST_FRAGMENTS = 1000
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TOO_BIG, _TRY_AGAIN_LATER = 1009, 1013  # RFC 6455, 7.4.1, and IANA's registry

log = logging.getLogger(__name__)
log.setLevel(logging.WARNING)  # uvicorn logs each address, and its query may hold a secret


@dataclass
class _Together:
    most: int
    held: int = 0


def protocol(settings: Settings) -> type[WebSocketsSansIOProtocol]:
    """The protocol for all WebSockets of one server."""
    together = _Together(settings.max_bodies_bytes)

    class BoundedWebSocket(WebSocketsSansIOProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
            super().__init__(*args, **kwargs)
            self.logger = log
            self._is_admitted = False
            self._held = 0

        def admit(self) -> None:
            """From now on large messages may come."""
            self._is_admitted = True

        def handle_connect(self, event: Request) -> None:
            super().handle_connect(event)
            if not self.close_sent:  # the application begins after this
                extensions: Any = self.scope["extensions"]
                extensions[BOUNDS] = self

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self.transport.write(_REFUSED)  # uvicorn would leave it without an answer
                self.transport.close()
            if self.transport.is_closing() or self.close_sent:
                return
            unread = len(self.conn.reader.buffer) + sum(map(len, self.frames))
            together.held += unread - self._held
            self._held = unread
            # What has come whole makes reading wait until the application has taken it.
            is_early = not self._is_admitted and not self.read_paused
            if (is_early and unread > _BEFORE_ADMISSION) or len(self.frames) > _MOST_FRAGMENTS:
                self._fail(_TOO_BIG)
            elif together.held > together.most:
                self._fail(_TRY_AGAIN_LATER)

        def connection_lost(self, exc: Exception | None) -> None:
            self._release()
            super().connection_lost(exc)

        def send_receive_event_to_app(self) -> None:
            self.curr_msg_data_type = "bytes"  # the application reads JSON, and tells what is none
            super().send_receive_event_to_app()

        def _fail(self, code: int) -> None:
            self._release()
            self.conn.fail(code)
            self.frames = []
            self.handle_parser_exception()

        def _release(self) -> None:
            together.held -= self._held
            self._held = 0

    return BoundedWebSocket
