"""HTTP servers beside the main one, in the same process: the worker's port and the metrics'."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from api.settings import BadSettings

_STOP_WITHIN = 5  # seconds


class _Beside(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the main server."""
        yield


def listening(host: str, port: int, variable: str) -> socket.socket:
    """An open socket.

    Raises:
        BadSettings: there is none to be had; names the setting `variable`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise BadSettings(
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}); "
            f"set {variable} to another port."
        ) from None


@asynccontextmanager
async def serving_on(listener: socket.socket, app: ASGIApp) -> AsyncIterator[None]:
    """Serve the application on an open socket."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,  # uvicorn's own would print faults with all that their text repeats
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_STOP_WITHIN,
    )
    server = _Beside(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
