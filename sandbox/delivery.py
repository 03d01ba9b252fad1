"""Answers on their way out: headers, and the faults that lie in the delivery."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Final

from sandbox import events
from sandbox.answer import EVENT_STREAM, Draft
from sandbox.errors import ApiError
from sandbox.exchange import Exchange
from sandbox.fault_plan import Chosen
from sandbox.headers import api_headers
from sandbox.ledger import Entry

_WHITE_SPACE_EVERY: Final = 0.05
_PAGE: Final = (
    b"<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"
    b"<hr><center>sandbox</center>\r\n</body>\r\n</html>\r\n"
)
_PHRASES: Final = {
    413: b"Request Entity Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Temporarily Unavailable",
    504: b"Gateway Time-out",
    520: b"Web server is returning an unknown error",
    524: b"A timeout occurred",
}


async def send_error(exchange: Exchange, entry: Entry, error: ApiError, started: float) -> None:
    """Answer with an error body; a moderation message gets the request id it speaks of."""
    entry.status = error.status
    body = json.dumps(error.body()).replace("{request_id}", entry.request_id).encode()
    await exchange.send(
        error.status, {**api_headers(entry.request_id, started), **error.headers}, body
    )
    entry.deliver()


async def send_page(exchange: Exchange, entry: Entry, status: int) -> None:
    """Answer with a proxy's HTML page, without any header of the API."""
    entry.status = status
    phrase = _PHRASES[status]
    page = _PAGE % (status, phrase, status, phrase)
    await exchange.send(status, {"content-type": "text/html"}, page)
    entry.deliver()


async def send(
    exchange: Exchange,
    entry: Entry,
    draft: Draft,
    content: bytes,
    chosen: Chosen | None,
    started: float,
) -> None:
    """Answer with success, in the way that a chosen fault demands."""
    name = None if chosen is None else chosen.fault.name
    connection = exchange.connection
    if name == "reset-after-read":
        return await connection.reset()
    if name == "stall":
        await connection.lost.wait()
        return None
    entry.status = 200
    headers = {**api_headers(entry.request_id, started), "content-type": draft.content_type}
    if name == "reset-in-body":
        await exchange.send_half(200, headers, content)
        return await connection.reset()
    if name == "truncated-body":
        await exchange.send_half(200, headers, content)
        return await connection.close()
    if chosen is not None and name == "slow-drip":
        seconds = chosen.marker.number("seconds", 2)
        await exchange.send_slowly(200, headers, content, seconds)
    else:
        await exchange.send(200, headers, content)
    entry.deliver()
    return None


@contextlib.asynccontextmanager
async def begun(
    exchange: Exchange, entry: Entry, *, stream: bool, keep_alive: bool
) -> AsyncIterator[None]:
    """Send a stream's headers before the work is done, and something now and then to keep it open.

    OpenAI itself sends nothing meanwhile, as somebody saw; gateways do, for plain answers too.
    """
    if not (stream or keep_alive):
        yield
        return
    headers = api_headers(entry.request_id, time.monotonic())
    await exchange.start(200, {**headers, "content-type": EVENT_STREAM} if stream else headers)
    if not keep_alive:
        yield
        return
    ticker = asyncio.create_task(_tick(exchange, events.KEEP_ALIVE if stream else b" \n"))
    try:
        yield
    finally:
        ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await ticker


async def _tick(exchange: Exchange, piece: bytes) -> None:
    while True:
        await exchange.send_piece(piece)
        await asyncio.sleep(_WHITE_SPACE_EVERY)
