"""Which IP addresses lie in the public internet, in whatever form they are written.

The tables are IANA's registries of special-purpose addresses, written out because `is_global` of
Python's `ipaddress` changes with its patch releases: to 3.11.7, 192.0.0.192 is public, where one
cloud keeps its machines' credentials.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers, and one cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # one cloud's host agent, in public space but not of it
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and one cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo hides an IPv4 address in these
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 hides an IPv4 address in these
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how an IPv6-only machine reaches IPv4


def may_be_reached(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether an address is public, or in one of the allowed networks.

    `address` is numeric, as a resolver answers or a socket takes it, with or without a zone.
    """
    try:
        written = ip_address(address)
    except ValueError:
        return False
    meant = _without_disguise(written)
    if any(one in network for network in allowed for one in (written, meant)):
        return True
    if isinstance(meant, IPv4Address):
        return not any(meant in network for network in _NOT_PUBLIC_4)
    return (
        meant in _GLOBAL_UNICAST
        and not any(meant in network for network in _NOT_PUBLIC_6)
        and not _is_tunnel_within_a_site(meant)
    )


def _without_disguise(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that the machine or its gateway makes of an IPv6 address, if it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_tunnel_within_a_site(address: IPv6Address) -> bool:
    """ISATAP (RFC 5214): an IPv4 address behind `0:5efe` or `200:5efe` in any network."""
    return (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
