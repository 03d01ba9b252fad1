"""Where the API's webhooks arrive; some of them are refused at first."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

_REFUSES_EVERY = 10  # of the first tries


@dataclass
class Receiver:
    """What has arrived, by the number of the call."""

    url: str = ""
    bodies: defaultdict[int, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """The webhook's id and its body; what was refused is not here."""
    refused: set[str] = field(default_factory=set)
    tries: int = 0

    async def receive(self, request: web.Request) -> web.Response:
        webhook_id, body = request.headers["webhook-id"], await request.read()
        self.tries += 1
        if self.tries % _REFUSES_EVERY == 0 and webhook_id not in self.refused:
            self.refused.add(webhook_id)
            return web.Response(status=500)
        self.bodies[int(request.match_info["number"])][webhook_id] = body
        return web.Response()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/{number}", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
