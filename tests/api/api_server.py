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


@contextmanager
def api_server(settings: Settings) -> Iterator[ApiServer]:
    app = create_app(settings)
    config = uvicorn.Config(app, log_level="warning", lifespan="on", ws="none")
    server = uvicorn.Server(config)
    loops: list[asyncio.AbstractEventLoop] = []
    started = threading.Event()

    async def serve(listener: socket.socket) -> None:
        loops.append(asyncio.get_running_loop())
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        started.set()
        await serving

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve(listener)))
        thread.start()
        assert started.wait(20)
        try:
            root = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield ApiServer(root, app.state.parts, loops[0])
        finally:
            server.should_exit = True
            thread.join()
