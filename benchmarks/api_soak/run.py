"""One soak of the API from start to end, on servers of its own."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.api_bench.api_server import Served, api_and_cog
from benchmarks.api_soak import canaries, verdict
from benchmarks.api_soak.callers import Callers, Seen
from benchmarks.api_soak.plan import Call, draw
from benchmarks.api_soak.receiver import Receiver, receiving
from benchmarks.processes import open_files, status_bytes
from benchmarks.soak.run import small_picture
from dev.servers import get, sandbox_server

PREDICTOR_DEADLINE = 5.0  # seconds
DEADLINE = 15.0  # seconds; until then the API tries again what was not billed
KEEPS_DATA, KEEPS_RECORDS = 3, 6  # seconds after the end
SETTLES = 6.0  # seconds; idle connections are closed after 5
WEBHOOKS_WITHIN = 60.0  # seconds after the last caller has gone
# What may come on top of what is held after the warm-up; a leak grows with the predictions.
MOST_GROWTH = {
    "api_files": 12,  # four reader threads open the database and its log when first needed
    "cog_files": 16,  # its threads come and go with the load, each with files of its own
    "api_memory": 24 << 20,  # bytes
    "cog_memory": 48 << 20,
}
MOST_DATABASE = 24 << 20  # bytes, with its log; what 3,000 predictions leave is several times that


@dataclass(frozen=True)
class Held:
    """What the servers hold while they are idle."""

    api_files: int
    cog_files: int
    api_memory: int
    cog_memory: int


@dataclass
class Soak:
    """What happened: `before` is after the warm-up, the first third of the calls."""

    seen: list[Seen] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    receiver: Receiver = field(default_factory=Receiver)
    before: Held = field(default_factory=lambda: Held(0, 0, 0, 0))
    after: Held = field(default_factory=lambda: Held(0, 0, 0, 0))
    leaks: list[str] = field(default_factory=list)
    database: int = 0
    rows: int = 0
    files: int = 0

    def problems(self) -> list[str]:
        """Everything that is not as promised."""
        found = verdict.problems(self.seen, self.ledger, self.receiver.bodies, DEADLINE)
        found += [f"a key is in {place}" for place in sorted(set(self.leaks))]
        for name, most in MOST_GROWTH.items():
            before, after = getattr(self.before, name), getattr(self.after, name)
            if after > before + most:
                found.append(f"{name} grew from {before} to {after}")
        if self.database > MOST_DATABASE or self.rows or self.files:
            found.append(
                f"retention left {self.rows} rows, {self.files} files, and a database of "
                f"{self.database / 1e6:.1f} MB"
            )
        return found


def soak(total: int, in_flight: int = 32, seed: int = 0) -> Soak:
    """Make `total` predictions through the API under a seeded mix of faults and callers."""
    with sandbox_server(SANDBOX_PRERENDERED="true") as sandbox:
        predictor = {
            "OPENAI_PROXY_URL": sandbox.url,
            "OPENAI_BASE_URL": sandbox.url,
            "OPENAI_DEADLINE_SECONDS": str(PREDICTOR_DEADLINE),
        }
        with api_and_cog(
            in_flight,
            predictor=predictor,
            API_PRIVATE_NETWORKS='["127.0.0.0/8"]',
            API_DEADLINE_SECONDS=str(DEADLINE),
            API_RETENTION_SECONDS=str(KEEPS_DATA),
            API_RECORD_RETENTION_SECONDS=str(KEEPS_RECORDS),
        ) as served:
            calls = draw(total, seed, small_picture())
            return asyncio.run(_soak(calls, in_flight, served, sandbox.root))


async def _soak(calls: Sequence[Call], in_flight: int, served: Served, sandbox: str) -> Soak:
    done, warm_up = Soak(), len(calls) // 3
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with receiving() as done.receiver, aiohttp.ClientSession(connector=connector) as http:
        api = served.api
        callers = Callers(http, api.url, api.token, done.receiver.url)
        looking = asyncio.create_task(_keep_looking(api.data, done.leaks))
        done.seen = await callers.run(calls[:warm_up], in_flight)
        await _until_all_have_ended(api.data)
        done.before = await _held(served)
        done.seen += await callers.run(calls[warm_up:], in_flight)
        await _until_all_have_ended(api.data)
        done.after = await _held(served)
        await _until_removed(done, api.data)
        looking.cancel()
        async with http.get(f"{sandbox}/sandbox/ledger") as answer:
            entries = (await answer.json())["entries"]
        done.ledger = [entry for entry in entries if entry["number"]]
        done.leaks += callers.leaks
    await asyncio.to_thread(_look_everywhere, done, served)
    return done


async def _until_all_have_ended(data: Path) -> None:
    """Those whose callers have gone, too; what does not end is the verdict's to tell."""
    give_up = time.monotonic() + WEBHOOKS_WITHIN
    while await asyncio.to_thread(_unfinished, data):
        await asyncio.sleep(0.2)
        if time.monotonic() > give_up:
            return


def _unfinished(data: Path) -> int:
    """Predictions that have not ended, and webhooks that have not arrived."""
    return sum(_counts(data, "predictions WHERE completed_at IS NULL", "deliveries"))


def _counts(data: Path, *what: str) -> list[int]:
    with closing(sqlite3.connect(f"file:{data / 'api.db'}?mode=ro", uri=True)) as connection:
        asked = [f"SELECT count(*) FROM {each}" for each in what]  # noqa: S608 - ours
        return [connection.execute(each).fetchone()[0] for each in asked]


async def _held(served: Served) -> Held:
    await asyncio.sleep(SETTLES)
    api, cog = (_with_children(server.process.pid) for server in served.processes)
    return Held(
        api_files=sum(map(open_files, api)),
        cog_files=sum(map(open_files, cog)),
        api_memory=sum(status_bytes(pid, "VmRSS") for pid in api),
        cog_memory=sum(status_bytes(pid, "VmRSS") for pid in cog),
    )


def _with_children(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


async def _keep_looking(data: Path, leaks: list[str]) -> None:
    """Look for keys while predictions run, in the database, its log and all files."""
    while True:
        leaks += await asyncio.to_thread(lambda: list(canaries.found_below(data)))
        await asyncio.sleep(2.0)


async def _until_removed(done: Soak, data: Path) -> None:
    give_up = time.monotonic() + KEEPS_RECORDS + 60
    while True:
        done.rows, done.files, done.database = await asyncio.to_thread(_left, data)
        if not (done.rows or done.files) or time.monotonic() > give_up:
            return
        await asyncio.sleep(0.5)


def _left(data: Path) -> tuple[int, int, int]:
    """Rows, files, and the bytes of the database with its log."""
    rows = sum(_counts(data, "predictions", "files", "deliveries"))
    folders = [data / "files", data / "scratch"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return rows, len(files), sum(path.stat().st_size for path in data.glob("api.db*"))


def _look_everywhere(done: Soak, served: Served) -> None:
    done.leaks += canaries.found_below(served.api.data)
    done.leaks += canaries.found_below(served.api.outputs)
    api, cog = served.processes
    _, metrics = get(f"http://127.0.0.1:{served.api.metrics_port}/metrics")
    texts = {
        "the API's log": api.log.encode(),
        "Cog's log": cog.log.encode(),
        "the metrics": metrics,
    } | {
        f"a webhook of call {number}": b"".join(bodies.values())
        for number, bodies in done.receiver.bodies.items()
    }
    done.leaks += [place for place, text in texts.items() if canaries.found_in(text)]
