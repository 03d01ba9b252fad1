"""One soak from start to end, on servers of its own."""

import asyncio
import base64
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import psutil
from PIL import Image

from benchmarks.processes import open_files, status_bytes, threads
from benchmarks.soak import verdict
from benchmarks.soak.client import Callers, Ended
from benchmarks.soak.plan import WELL, Planned, draw
from dev.servers import Server, predictor_server, sandbox_server

DEADLINE = 5.0  # seconds
SETTLES = 6.0  # seconds; idle connections are closed after 4
# What may come on top of what is held after the warm-up; a leak grows with the predictions.
MOST_GROWTH = {
    "files": 2,
    "tasks": 2,
    "threads": 32,  # Cog's own come and go with the load
    "memory": 48 << 20,  # bytes
}


@dataclass(frozen=True)
class Resources:
    """What the predictor holds while it is idle: of both processes, except for tasks."""

    files: int
    threads: int
    tasks: int
    memory: int


@dataclass(frozen=True)
class Soak:
    """What happened: `before` is after the warm-up, the first third of the predictions."""

    ended: list[Ended]
    ledger: list[dict[str, Any]]
    before: Resources
    after: Resources
    directories: int

    @property
    def counts(self) -> Mapping[str, int]:
        """How many predictions met each kind of fault."""
        return verdict.occurrences(self.ended, self.ledger)

    def problems(self, at_least: int) -> list[str]:
        """Everything that is not as promised; each kind of fault must occur `at_least` times."""
        found = verdict.problems(self.ended, self.ledger, DEADLINE, at_least)
        return found + list(self._growth()) + list(self._leftovers())

    def _growth(self) -> list[str]:
        held = {
            name: (getattr(self.before, name), getattr(self.after, name)) for name in MOST_GROWTH
        }
        return [
            f"{name} grew from {before} to {after}"
            for name, (before, after) in held.items()
            if after > before + MOST_GROWTH[name]
        ]

    def _leftovers(self) -> list[str]:
        succeeded = sum(each.status == "succeeded" for each in self.ended)
        # Two more predictions looked at the tasks.
        if self.directories > succeeded + 2:
            return [f"{self.directories} output directories of {succeeded} successes are left"]
        return []


def soak(total: int, in_flight: int = 32, seed: int = 0) -> Soak:
    """Make `total` predictions under a seeded mix of all faults."""
    with (
        tempfile.TemporaryDirectory() as outputs,
        sandbox_server(SANDBOX_PRERENDERED="true") as sandbox,
        predictor_server(
            COG_PREDICT_TYPE_STUB="benchmarks/predictors/probed.py:Predictor",
            COG_MAX_CONCURRENCY=str(in_flight),
            OPENAI_PROXY_URL=sandbox.url,
            OPENAI_DEADLINE_SECONDS=str(DEADLINE),
            OUTPUT_DIRECTORY=outputs,
        ) as predictor,
    ):
        deck = draw(total, seed, small_picture())
        ended, ledger, before, after = asyncio.run(_soak(deck, in_flight, predictor, sandbox))
        return Soak(ended, ledger, before, after, len(list(Path(outputs).iterdir())))


async def _soak(
    deck: Sequence[Planned], in_flight: int, predictor: Server, sandbox: Server
) -> tuple[list[Ended], list[dict[str, Any]], Resources, Resources]:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(limits=limits, timeout=30, trust_env=False) as http:
        callers = Callers(http, predictor.url, sandbox.root)
        warm_up = len(deck) // 3
        ended = await callers.run(deck[:warm_up], in_flight)
        before = await _resources(callers, predictor, -1)
        ended += await callers.run(deck[warm_up:], in_flight)
        after = await _resources(callers, predictor, -2)
        ledger = [entry for entry in await callers.ledger() if entry["number"]]
    return ended, ledger, before, after


async def _resources(callers: Callers, predictor: Server, number: int) -> Resources:
    """Counted once everything idle is closed; one more prediction tells the worker's tasks."""
    await asyncio.sleep(SETTLES)
    one = Planned(number, WELL, {"prompt": "A lighthouse at dusk"})
    (look,) = await callers.run([one], 1)
    first = predictor.process.pid
    pids = [first, *(child.pid for child in psutil.Process(first).children(recursive=True))]
    return Resources(
        files=sum(map(open_files, pids)),
        threads=sum(map(threads, pids)),
        tasks=look.body["metrics"]["tasks"],
        memory=sum(status_bytes(pid, "VmRSS") for pid in pids),
    )


def small_picture() -> str:
    """A data URI."""
    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
