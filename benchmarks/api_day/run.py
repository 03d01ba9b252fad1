"""The day, and the climb after it: one rate after the other until something no longer keeps up."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.api_day import plan, troubles, verdict
from benchmarks.api_day.callers import Call, Callers
from benchmarks.api_day.installation import Installation
from benchmarks.api_day.meter import CALLERS, Meter, Reading
from benchmarks.api_day.verdict import Verdict, at
from benchmarks.api_soak.receiver import Receiver, receiving
from dev.servers import get

_ENDS_WITHIN = 300.0  # seconds after the last caller has asked; deadline and grace take 270
_SETTLES = 3.0  # seconds; Postgres publishes its counters so late
_LOOKS_EVERY = 0.5  # seconds
_QUEUE_KEPT = 1.0  # seconds; what waits longer, with slots free, waits for a busy process


@dataclass(frozen=True)
class Step:
    """One rate of the climb."""

    rate: float
    """Predictions a second that were asked for."""
    ended: int
    seconds: float
    """From the first that was asked for until the last had ended."""
    accepted_p99: float
    queued_p50: float
    queued_p99: float
    late: float
    """Seconds by which the callers themselves were late, at most."""
    used: Reading

    @property
    def kept_up(self) -> bool:
        """Whether nothing waited long for anything but its picture."""
        return self.queued_p99 < _QUEUE_KEPT and self.accepted_p99 < _QUEUE_KEPT


def live(
    running: Installation, wishes: Sequence[plan.Wish], hour: float, seed: int
) -> tuple[Verdict, list[str], Reading]:
    """The day, what happened in it, and what it cost; `hour` is its seconds."""

    async def all_of_it() -> tuple[Verdict, list[str], Reading]:
        meter = running.meter()
        before = _with_ours(meter.read())
        async with _asking(running) as (callers, receiver):
            happening = asyncio.create_task(
                asyncio.to_thread(
                    troubles.suffer, plan.TROUBLES, hour, running.cluster, meter, seed
                )
            )
            calls = await callers.ask(wishes, hour)
            happened = await happening
            await _until_ended(running, receiver, calls, meter)
        used = _with_ours(meter.read()).since(before)
        return _judged(running, calls, receiver), happened, used

    return asyncio.run(all_of_it())


def climb(running: Installation, rates: Sequence[float], seconds: float) -> Iterator[Step]:
    """A step for each rate, so many seconds long, up to the first that is too much."""
    first = 1
    for rate in rates:
        wishes = plan.steady(rate, seconds, first, seed=first)
        first += len(wishes)
        step = asyncio.run(_step(running, rate, wishes))
        yield step
        if not step.kept_up:
            return


async def _step(running: Installation, rate: float, wishes: Sequence[plan.Wish]) -> Step:
    await asyncio.sleep(_SETTLES)
    meter = running.meter()
    before, started = _with_ours(meter.read()), time.monotonic()
    async with _asking(running) as (callers, receiver):
        calls = await callers.ask(wishes, 1.0)
        await _until_ended(running, receiver, calls, meter)
    took = time.monotonic() - started
    used = _with_ours(meter.read()).since(before)
    found = _judged(running, calls, receiver)
    queued = found.queued.get(plan.SHOP, [])
    accepted = sorted(
        call.accepted_after for call in calls if call.wish.behaviour is not plan.Behaviour.WAITS
    )
    return Step(
        rate,
        ended=found.states.get("succeeded", 0),
        seconds=took,
        accepted_p99=at(0.99, accepted),
        queued_p50=at(0.5, queued),
        queued_p99=at(0.99, queued),
        late=max(call.late for call in calls),
        used=used,
    )


@asynccontextmanager
async def _asking(running: Installation) -> AsyncIterator[tuple[Callers, Receiver]]:
    limits = aiohttp.TCPConnector(limit=0)
    async with receiving() as receiver, aiohttp.ClientSession(connector=limits) as http:
        addresses = [api.url for api in running.cluster.apis]
        yield Callers(http, addresses, dict(running.tokens), receiver.url), receiver


async def _until_ended(
    running: Installation, receiver: Receiver, calls: Sequence[Call], meter: Meter
) -> None:
    """Until every prediction has ended and every webhook has come, or nobody would wait longer."""
    told = {c.wish.number for c in calls if c.id and c.wish.behaviour is plan.Behaviour.IS_TOLD}
    give_up = time.monotonic() + _ENDS_WITHIN
    while time.monotonic() < give_up:
        await asyncio.to_thread(meter.look)
        if told <= receiver.bodies.keys() and not verdict.unfinished(running.database_url):
            break
        await asyncio.sleep(_LOOKS_EVERY)
    await asyncio.sleep(_SETTLES)


def _judged(running: Installation, calls: Sequence[Call], receiver: Receiver) -> Verdict:
    ledger = json.loads(get(f"{running.sandbox.root}/sandbox/ledger", timeout=60)[1])["entries"]
    return verdict.judge(calls, verdict.rows(running.database_url), ledger, set(receiver.bodies))


def _with_ours(reading: Reading) -> Reading:
    """With the CPU of this process, which plays the callers."""
    own = os.times()
    cpu = dict(reading.cpu) | {CALLERS: own.user + own.system}
    return Reading(cpu, reading.transactions, reading.flushes)
