"""Host names to addresses, each name asked once and each answer checked."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

from api.public_addresses import Network, may_be_reached

_THREADS = 16

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes a host and a port, gives numeric addresses; raises OSError where there are none."""


class AddressRefused(Exception):
    """An address that may not be reached; no OSError, so that no client tries the next one."""


def check(address: str, allowed: Iterable[Network]) -> None:
    """Raises AddressRefused unless the address is public or in an allowed network."""
    if not may_be_reached(address, allowed):
        raise AddressRefused


class CheckedResolver(AbstractResolver):
    """Refuses a name as soon as one of its addresses may not be reached."""

    def __init__(self, lookup: Lookup, allowed: Sequence[Network]) -> None:
        self._lookup = lookup
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """aiohttp's interface; `family` does not narrow what is checked."""
        addresses = await self._lookup(host, port)
        for address in addresses:
            check(address, self._allowed)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """aiohttp's interface; there is nothing to close."""


@asynccontextmanager
async def system_lookup() -> AsyncIterator[Lookup]:
    """The system's resolver, in threads of its own: a slow name server holds up nothing else."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")

    async def lookup(host: str, port: int) -> list[str]:
        def ask() -> list[str]:
            try:
                answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except UnicodeError as error:  # a label that no name can have
                raise OSError(str(error)) from error
            return [str(address[0]) for *_, address in answers]

        return await asyncio.get_running_loop().run_in_executor(threads, ask)

    try:
        yield lookup
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
