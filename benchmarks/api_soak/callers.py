"""The callers of a soak of the API: so many at once, each with a behaviour of its own."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.api_bench.contenders import PREDICTIONS
from benchmarks.api_soak.plan import (
    CANCELS,
    COUNTS_RETRIES,
    LEAVES,
    POLLS,
    SENDS_AGAIN,
    Call,
)

ENDS = {"succeeded", "failed", "canceled"}
GIVES_UP = 90.0  # seconds; far more than any deadline, so that a hang is seen as one
_POLLS_EVERY = 0.3  # seconds


@dataclass
class Seen:
    """What a caller saw of its prediction."""

    call: Call
    ids: set[str] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    """The prediction as it was shown last."""
    seconds: float = 0.0
    trouble: str = ""
    """What went wrong between it and the API, though the caller did not hang up."""


class Callers:
    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, webhooks: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._webhooks = webhooks
        self.leaks: list[str] = []
        """Answers that hold a key."""

    async def run(self, calls: Sequence[Call], in_flight: int) -> list[Seen]:
        """All calls, `in_flight` at once."""
        waiting = iter(calls)
        all_seen: list[Seen] = []

        async def caller() -> None:
            for call in waiting:  # shared: each takes the next one
                seen = Seen(call)
                all_seen.append(seen)
                started = time.monotonic()
                try:
                    async with asyncio.timeout(GIVES_UP):
                        await self._behave(call, seen)
                except (TimeoutError, aiohttp.ClientError, KeyError) as failure:
                    seen.trouble = f"{type(failure).__name__}: {failure}"
                seen.seconds = time.monotonic() - started

        await asyncio.gather(*[caller() for _ in range(in_flight)])
        return all_seen

    async def _behave(self, call: Call, seen: Seen) -> None:
        if call.behaviour in {SENDS_AGAIN, LEAVES, COUNTS_RETRIES}:
            await self._send_and_hang_up(call, seen)
            if call.behaviour == LEAVES:
                return
        again = {"X-Stainless-Retry-Count": "1"} if call.behaviour == COUNTS_RETRIES else {}
        wait = {} if call.behaviour in {POLLS, CANCELS} else {"Prefer": "wait=20"}
        await self._create(call, seen, wait | again)
        if call.behaviour == CANCELS:
            await asyncio.sleep(call.after)
            await self._ask(seen, "POST", f"/v1/predictions/{seen.last['id']}/cancel")
        while seen.last.get("status") not in ENDS:
            await asyncio.sleep(_POLLS_EVERY)
            await self._ask(seen, "GET", f"/v1/predictions/{seen.last['id']}")

    async def _send_and_hang_up(self, call: Call, seen: Seen) -> None:
        sending = asyncio.create_task(self._create(call, seen, {"Prefer": "wait=20"}))
        await asyncio.wait([sending], timeout=call.after)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending

    async def _create(self, call: Call, seen: Seen, headers: dict[str, str]) -> None:
        body = {
            "input": call.planned.inputs,
            "webhook": f"{self._webhooks}/{call.number}",
            "webhook_events_filter": ["completed"],
        }
        await self._ask(seen, "POST", PREDICTIONS, headers, json.dumps(body).encode())

    async def _ask(
        self,
        seen: Seen,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        async with self._http.request(
            method, self._url + path, headers=self._headers | (headers or {}), data=body
        ) as answer:
            text = await answer.text()
        seen.statuses.append(answer.status)
        if str(seen.call.planned.inputs["openai_api_key"]) in text:
            self.leaks.append(f"the answer to {method} {path}")
        if answer.status in {200, 201}:
            seen.last = json.loads(text)
            seen.ids.add(seen.last["id"])
