"""The fetcher as tests use it: names lead to this machine, and one address of it is allowed."""

import asyncio
import ssl
from collections.abc import Iterable
from ipaddress import ip_network
from itertools import chain, repeat
from pathlib import Path

from api.fetching import Bounds, open_fetcher
from api.lookup import Lookup
from tests.api.raw_server import PUBLIC

PICTURE = bytes(range(256)) * 4000
BOUNDS = Bounds(bytes=10_000_000, seconds=5)
ALLOWED = [ip_network(f"{PUBLIC}/32")]


def lookup_of(*answers: Iterable[str]) -> Lookup:
    """A name server that gives these answers in turn, and the last one for ever."""
    turns = chain(answers, repeat(answers[-1] if answers else ()))

    async def lookup(host: str, port: int) -> list[str]:
        if found := list(next(turns)):
            return found
        raise OSError("no such name")

    return lookup


def download(
    url: str,
    to: Path,
    bounds: Bounds = BOUNDS,
    *,
    lookup: Lookup | None = None,
    tls: ssl.SSLContext | None = None,
) -> int:
    async def run() -> int:
        names = lookup or lookup_of([PUBLIC])
        async with open_fetcher(ALLOWED, lookup=names, tls=tls) as fetcher:
            return await fetcher.download(url, to, bounds, entry="Input image 2")

    return asyncio.run(run())


def post(url: str, body: bytes = b"{}", *, seconds: float = 5, lookup: Lookup | None = None) -> int:
    async def run() -> int:
        async with open_fetcher(ALLOWED, lookup=lookup or lookup_of([PUBLIC])) as fetcher:
            return await fetcher.post(
                url, body, {"webhook-id": "msg_1"}, seconds=seconds, entry="The webhook"
            )

    return asyncio.run(run())
