"""The server's side of one TCP connection: its loss, its reset, headers in their own case."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _CaseKeepingH11(h11.Connection):
    """Remembers the last request's headers as they were written; ASGI lowers their names."""

    raw_headers: list[tuple[bytes, bytes]] = []  # noqa: RUF012 - replaced, never changed

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.raw_headers = event.headers.raw_items()
        return event


class Connection(H11Protocol):
    """An HTTP connection that handlers can reach as ``scope["state"]["connection"]``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "connection": self}, _loop)
        self.conn = self._case_keeping = _CaseKeepingH11(h11.SERVER)
        self.lost = asyncio.Event()
        self.on_lost: Callable[[float], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this only for sockets that were made with an explicit protocol number.
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # With no room in the buffer, draining it means that the kernel has every byte.
        transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        lost_at = time.time()
        super().connection_lost(exc)
        self.lost.set()
        if self.on_lost is not None:
            self.on_lost(lost_at)

    @property
    def raw_headers(self) -> list[tuple[str, str]]:
        """The current request's headers in order, names in the client's own case."""
        raw = self._case_keeping.raw_headers
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]

    async def flush(self) -> bool:
        """Wait until all is handed to the kernel; false when the peer left before that."""
        await self.flow.drain()
        return not self.lost.is_set()

    async def reset(self) -> None:
        """Close with a TCP reset instead of an orderly end."""
        sock: socket.socket = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()
        await self.lost.wait()

    async def close(self) -> None:
        """Close in order, in the middle of an answer if need be."""
        self.transport.close()
        await self.lost.wait()
