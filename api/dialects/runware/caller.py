"""Who sends tasks, and how the answers reach them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from api.tenants import Tenant


@dataclass(frozen=True)
class Caller:
    """One HTTP request, or one frame of a WebSocket."""

    tenant: Tenant
    origin: str
    """Scheme, host and port by which the caller addressed the API."""
    is_socket: bool
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nobody would get an answer any more."""
    gives_up_after: float | None = None
    """Seconds, after which the client has forgotten its task and sends it again as a new one."""

    def hung_up(self) -> Callable[[], Awaitable[bool]]:
        """Tells whether this caller has stopped waiting for the answer."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()

        async def probe() -> bool:
            patience = self.gives_up_after
            has_given_up = patience is not None and loop.time() - began_at > patience
            return self.gone.is_set() or has_given_up

        return probe
