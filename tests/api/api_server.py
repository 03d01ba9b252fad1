"""The API over a real socket, in this process, for tests of parts that need no Cog server."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import uvicorn

from api.app import create_app
from api.parts import Parts
from api.settings import Settings

Result = TypeVar("Result")


@dataclass
class ApiServer:
    root: str
    parts: Parts
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run it where the server runs."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def token(self, tenant: str) -> str:
        return self.run(self.parts.tenants.create_token(tenant))

    def caller(self, tenant: str) -> httpx2.Client:
        """A client with a new token."""
        return httpx2.Client(
            base_url=self.root, headers={"Authorization": f"Bearer {self.token(tenant)}"}
        )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self.loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()


@contextmanager
def api_server(settings: Settings) -> Iterator[ApiServer]:
    app = create_app(settings)
    server = _Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.up.wait(20)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield ApiServer(f"http://127.0.0.1:{port}", app.state.parts, server.loop)
    finally:
        server.should_exit = True
        thread.join()
