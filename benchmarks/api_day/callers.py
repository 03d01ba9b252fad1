"""Callers who ask when their time has come, and send again as published clients do."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.api_bench.contenders import PREDICTIONS
from benchmarks.api_day.plan import Behaviour, Wish

_ENDS = {"succeeded", "failed", "canceled"}
_GIVES_UP = 300.0  # seconds
_AGAIN_AFTER = 0.3  # seconds
_LOOKS_EVERY = 1.0  # seconds
_WAITS = 55  # seconds, what clients ask for


@dataclass
class Call:
    """What became of a wish, as far as its caller saw."""

    wish: Wish
    id: str = ""
    """Absent where nobody accepted it."""
    accepted_after: float = 0.0
    """Seconds from the first try until somebody said that it is accepted; of those who wait for
    the picture it says nothing."""
    tries: int = 0
    looks: int = 0
    late: float = 0.0
    """Seconds by which these callers, and not the API, were too slow to send it."""


@dataclass
class Callers:
    """They choose among the addresses by chance, as a balancer without stickiness does."""

    http: aiohttp.ClientSession
    addresses: Sequence[str]
    tokens: dict[str, str]
    """By tenant."""
    webhooks: str
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    async def ask(self, wishes: Sequence[Wish], unit: float) -> list[Call]:
        """All of them, each at its time; `unit` is the seconds of one of its hours."""
        started, calls, running = time.monotonic(), list[Call](), set[asyncio.Task[None]]()
        for wish in wishes:
            due = started + wish.at * unit
            await asyncio.sleep(max(due - time.monotonic(), 0))
            call = Call(wish, late=time.monotonic() - due)
            calls.append(call)
            running.add(task := asyncio.create_task(self._live(call)))
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
        return calls

    async def _live(self, call: Call) -> None:
        try:
            async with asyncio.timeout(_GIVES_UP):
                prediction = await self._create(call)
                while (
                    prediction.get("status") not in _ENDS
                    and call.wish.behaviour is not Behaviour.IS_TOLD
                ):
                    await asyncio.sleep(_LOOKS_EVERY)
                    prediction = await self._look(call) or prediction
        except TimeoutError:
            return

    async def _create(self, call: Call) -> dict[str, Any]:
        wish, started = call.wish, time.monotonic()
        body: dict[str, Any] = {"input": {"prompt": wish.prompt}}
        if wish.behaviour is Behaviour.IS_TOLD:
            webhook = f"{self.webhooks}/{wish.number}"
            body |= {"webhook": webhook, "webhook_events_filter": ["completed"]}
        waits = wish.behaviour is Behaviour.WAITS
        while True:
            headers = {"Prefer": f"wait={_WAITS}"} if waits else {}
            if call.tries:
                headers["X-Stainless-Retry-Count"] = str(call.tries)
            call.tries += 1
            status, answer = await self._send("POST", PREDICTIONS, wish.tenant, headers, body)
            if status == 201:
                call.id, call.accepted_after = answer["id"], time.monotonic() - started
                return answer
            await asyncio.sleep(_AGAIN_AFTER)

    async def _look(self, call: Call) -> dict[str, Any]:
        call.looks += 1
        status, answer = await self._send("GET", f"/v1/predictions/{call.id}", call.wish.tenant)
        return answer if status == 200 else {}

    async def _send(
        self,
        method: str,
        path: str,
        tenant: str,
        headers: dict[str, str] | None = None,
        body: object = None,
    ) -> tuple[int, dict[str, Any]]:
        """Status and body; 0 where there was no answer."""
        own = {"Authorization": f"Bearer {self.tokens[tenant]}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else None
        url = self.dice.choice(self.addresses) + path
        try:
            async with self.http.request(
                method, url, headers=own | (headers or {}), data=data
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError):
            return 0, {}
