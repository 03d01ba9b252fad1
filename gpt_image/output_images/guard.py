"""Which addresses an image may be fetched from, when an upstream answers with a URL.

The upstream is trusted with money and not with the network: what it points to must not be a
service of the operator's that only this machine can reach, such as a cloud's metadata.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gpt_image.output_images.unusable import Unusable
from gpt_image.threads import in_thread

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Origin = tuple[str, int]
"""A host as it stands in a URL, and its port."""
Lookup = Callable[[str], Awaitable[Sequence[Address]]]

_LOOKUPS_AT_ONCE = 6  # so that name servers that hang leave threads for everything else

# All that is given out for public use (IANA's IPv6 address space, 2026-11-21). Outside it lie
# loopback, private, link-local and multicast, and IPv4 addresses behind ::, ::ffff:0: and so on.
_PUBLIC_IPV6 = ip_network("2000::/3")
# In networks with nothing but IPv6, every public IPv4 address is behind this prefix (RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")
# What the ipaddress module of Python 3.11 takes for public: protocol assignments and 6to4
# (RFC 6890, RFC 3056, RFC 7526), and the second range for documentation (RFC 9637).
_NOT_PUBLIC = [
    ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")
]


class HostNotFound(Exception):
    """No address is known for a host."""


class Guard:
    """Resolves a host once, and lets only those addresses through that may be connected to."""

    def __init__(self, allowed: Sequence[Network], lookup: Lookup | None = None) -> None:
        """`allowed` are networks that are not public and may be fetched from all the same."""
        self._allowed = allowed
        self._lookup = lookup or Lookups()

    async def addresses(self, origin: Origin, upstream: Origin) -> list[Address]:
        """The addresses of `origin` to connect to: these and no others, as they are now.

        Args:
            upstream: may lie anywhere, since the operator named it.

        Raises:
            Unusable: there are only such as may not be connected to.
            HostNotFound: there is none.
        """
        host, _ = origin
        found = [literal] if (literal := _literal(host)) else await self._lookup(host)
        usable = [one for one in found if origin == upstream or self._may_be_reached(one)]
        if not usable:
            raise Unusable(
                "came as an address inside a network that is not public, "
                "and OPENAI_FETCH_NETWORKS does not allow it"
            )
        return usable

    def check_literal(self, origin: Origin, upstream: Origin) -> None:
        """Refuse a forbidden address; a name passes, since a proxy resolves it and guards that."""
        literal = _literal(origin[0])
        if literal and origin != upstream and not self._may_be_reached(literal):
            raise Unusable("came as an address inside a network that is not public")

    def _may_be_reached(self, address: Address) -> bool:
        plain = _without_disguise(address)
        return is_public(plain) or any(plain in network for network in self._allowed)


def is_public(address: Address) -> bool:
    """Whether the whole internet can reach the address, by IANA's registries."""
    address = _without_disguise(address)
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _without_disguise(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class Lookups:
    """The system's resolver, in threads that nobody waits for once a deadline or cancel came.

    A thread that asks a name server cannot be stopped. So lookups for one host are one, and few
    run at a time.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[list[Address]]] = {}
        self._places = asyncio.Semaphore(_LOOKUPS_AT_ONCE)

    async def __call__(self, host: str) -> list[Address]:
        if host not in self._running:
            task = asyncio.create_task(self._look_up(host))
            self._running[host] = task
            task.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(self._running[host])

    async def _look_up(self, host: str) -> list[Address]:
        async with self._places:
            return await in_thread(_ask_system, host)

    def _forget(self, host: str, done: asyncio.Task[list[Address]]) -> None:
        del self._running[host]
        if not done.cancelled():
            done.exception()  # looked at, so that asyncio does not complain about a lost one


def _ask_system(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label that is too long
        raise HostNotFound("its host has no address") from None
    return [ip_address(address[0]) for *_, address in found]
