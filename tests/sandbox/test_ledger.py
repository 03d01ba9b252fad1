"""The ledger tells what was billed, what arrived, and how soon a hang-up was seen."""

import asyncio
import socket
import time

import httpx2
import openai
import pytest

from dev.servers import sandbox_server
from sandbox.job import Size
from sandbox.tokens import output_tokens
from tests.sandbox.conftest import MODEL, Api
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long


def noted(api: Api, what: str) -> bool:
    return any(entry[what] for entry in api.ledger())


def test_an_answered_request_is_received_billed_and_delivered(api: Api) -> None:
    answer = api.generate(prompt="A fox [#123]", n=2)
    (entry,) = api.ledger()
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert entry["number"] == 123
    assert (entry["n"], entry["images_billed"]) == (2, 2)
    assert entry["tokens_billed"] == answer.json()["usage"]["total_tokens"]
    assert entry["cost_usd"] > 30 * 2 * 196 / 1e6
    assert entry["received"]
    assert entry["billed"]
    assert entry["delivered"]
    assert not entry["disconnected"]
    assert entry["opened_at"] <= entry["received_at"] <= entry["billed_at"] <= entry["delivered_at"]


def test_a_refused_request_costs_nothing(api: Api) -> None:
    api.generate(size="bogus")
    (entry,) = api.ledger()
    assert not entry["billed"]
    assert entry["delivered"]
    assert entry["status"] == 400


def test_a_hang_up_while_rendering_is_seen_at_once_and_billed_all_the_same(api: Api) -> None:
    async def hang_up() -> float:
        async with openai.AsyncOpenAI(api_key="x", base_url=api.url, max_retries=0) as sdk:
            call = asyncio.create_task(
                sdk.images.generate(model=MODEL, prompt="A fox [sandbox:slow seconds=8]")
            )
            await asyncio.to_thread(wait_until, lambda: noted(api, "received"))
            call.cancel()
            cancelled = time.time()
            with pytest.raises(asyncio.CancelledError):
                await call
            return cancelled

    cancelled = asyncio.run(hang_up())
    wait_until(lambda: noted(api, "billed"))
    (entry,) = api.ledger()
    assert entry["disconnected_at"] - cancelled < 6
    assert entry["billed_at"] - entry["received_at"] >= 8
    assert not entry["delivered"]


def test_a_request_cut_off_while_it_is_sent_is_not_received(api: Api) -> None:
    async def cut_off() -> None:
        host, port = httpx2.URL(api.url).host, httpx2.URL(api.url).port
        _, writer = await asyncio.open_connection(host, port)
        writer.write(
            b"POST /v1/images/generations HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()

    asyncio.run(cut_off())
    wait_until(lambda: noted(api, "disconnected"))
    (entry,) = api.ledger()
    assert (entry["received"], entry["billed"]) == (False, False)


def test_an_answer_that_nobody_reads_is_not_delivered() -> None:
    async def leave_unread(url: str) -> None:
        body = b'{"model":"gpt-image-2","prompt":"A fox","size":"3840x2160","n":2}'
        head = (
            "POST /v1/images/generations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect((httpx2.URL(url).host, httpx2.URL(url).port))
        reader, writer = await asyncio.open_connection(sock=peer, limit=1024)
        writer.write(head.encode() + body)
        await reader.read(100)
        await asyncio.sleep(0.2)
        writer.transport.abort()

    # Grain makes the answer larger than any socket buffer.
    with sandbox_server(SANDBOX_GRAIN="true") as server:
        api = Api(server.url)
        with api.http:
            asyncio.run(leave_unread(server.url))
            wait_until(lambda: noted(api, "disconnected"))
            (entry,) = api.ledger()
    assert (entry["billed"], entry["delivered"]) == (True, False)


def test_latency_is_the_time_to_render(api: Api) -> None:
    with sandbox_server(SANDBOX_LATENCY="0.5") as server:
        slow = Api(server.url)
        with slow.http:
            slow.generate()
            (entry,) = slow.ledger()
    assert 0.5 <= entry["billed_at"] - entry["received_at"] < 5


def test_totals_count_all_entries_until_they_are_cleared(api: Api) -> None:
    api.generate(n=2)
    api.generate()
    totals = api.http.get(f"{api.root}/sandbox/ledger", timeout=60).json()
    assert (totals["requests"], totals["images_billed"]) == (2, 3)
    assert totals["cost_usd"] > 3 * 196 * 30 / 1e6
    api.forget()
    assert api.ledger() == []


def test_the_output_formula_is_what_is_billed(api: Api) -> None:
    api.generate(quality="high")
    assert api.ledger()[0]["tokens_billed"] - output_tokens(Size(1024, 1024), "high") == 3
