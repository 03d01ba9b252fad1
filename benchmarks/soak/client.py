"""The callers of a soak: so many at once, patient with 409, some of them leaving early."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2

from benchmarks.soak.plan import CANCEL, LEAVES, Planned
from dev.busy import BUSY

_BUSY_PAUSE = 0.02  # seconds
_LOOK_EVERY = 0.3  # seconds between two looks into the ledger
GIVE_UP = 60.0  # seconds; far more than any deadline, so that a hang is seen as one


@dataclass(frozen=True)
class Ended:
    """How a prediction ended, as its caller saw it; `seconds` without waits for a free slot."""

    planned: Planned
    seconds: float
    status: str
    body: dict[str, Any]
    busy: int


class Callers:
    def __init__(self, http: httpx2.AsyncClient, predictor: str, sandbox: str) -> None:
        self._http = http
        self._predictor = predictor
        self._sandbox = sandbox
        self._received: set[int] = set()
        self._news = asyncio.Condition()

    async def run(self, deck: Sequence[Planned], in_flight: int) -> list[Ended]:
        """All predictions of the deck, `in_flight` at once."""
        waiting = iter(deck)
        ended: list[Ended] = []

        async def caller() -> None:
            for planned in waiting:  # shared: each takes the next one
                ended.append(await self._predict(planned))  # noqa: PERF401 - so it may not be a list

        watch = asyncio.create_task(self._watch_ledger())
        try:
            await asyncio.gather(*[caller() for _ in range(in_flight)])
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        return ended

    async def ledger(self) -> list[dict[str, Any]]:
        answer = await self._http.get(f"{self._sandbox}/sandbox/ledger")
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    async def _watch_ledger(self) -> None:
        while True:
            received = {e["number"] for e in await self.ledger() if e["received"]}
            async with self._news:
                self._received |= received
                self._news.notify_all()
            await asyncio.sleep(_LOOK_EVERY)

    async def _received_or(self, number: int, sending: asyncio.Task[Any]) -> None:
        """Wait until the upstream has the request, or its answer is here already."""
        async with self._news:
            await self._news.wait_for(lambda: number in self._received or sending.done())

    async def _predict(self, planned: Planned) -> Ended:
        busy = 0
        while True:
            started = time.monotonic()
            status, body = await self._send(planned)
            if status != str(BUSY):
                return Ended(planned, time.monotonic() - started, status, body, busy)
            busy += 1
            await asyncio.sleep(_BUSY_PAUSE)

    async def _send(self, planned: Planned) -> tuple[str, dict[str, Any]]:
        """Cog's status of the prediction, or what stands in its place, and the answer's body."""
        name = f"soak-{planned.number}"
        body = {"id": name, "input": planned.inputs}
        sending = asyncio.create_task(
            self._http.post(f"{self._predictor}/predictions", json=body, timeout=GIVE_UP)
        )
        if planned.kind in LEAVES:
            await self._received_or(planned.number, sending)
            if planned.kind == CANCEL:
                await self._http.post(f"{self._predictor}/predictions/{name}/cancel")
            elif not sending.done():
                sending.cancel()
                with suppress(asyncio.CancelledError):
                    await sending
                return "left", {}
        try:
            answer = await sending
        except httpx2.TimeoutException:
            return "hangs", {}
        if answer.status_code != 200:
            return str(answer.status_code), {"error": answer.text[:300]}
        answered: dict[str, Any] = answer.json()
        return str(answered["status"]), answered
