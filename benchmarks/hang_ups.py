"""`python -m benchmarks.hang_ups [--predictions N]`: callers who leave within 50 ms of sending.

Cog can freeze over one (docs/operations.md). Then health must say so within 10 s, and what is paid
for must still end; the server is restarted, as whoever runs the container would, and it goes on.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO

import httpx2
import pybase64
from PIL import Image

from dev.servers import Server, predictor_server, sandbox_server

PREDICTIONS = 5000
IN_FLIGHT = 32
SEEN_WITHIN = 10.0  # seconds
LOOK_EVERY = 1.0  # seconds
GIVE_UP = 30.0  # seconds; the slowest picture takes 3


class Round:
    """Predictions on one server, until they are all sent or the server says that it is frozen."""

    def __init__(self, server: Server, http: httpx2.AsyncClient, seen: Counter[str]) -> None:
        self._server = server
        self._http = http
        self._seen = seen
        self._frozen = False
        self.problems: list[str] = []

    async def run(self, numbers: Iterator[int], dice: random.Random, picture: str) -> None:
        async def caller() -> None:
            while not self._frozen and (number := next(numbers, None)) is not None:
                await self._predict(number, dice, picture)

        watch = asyncio.create_task(self._watch())
        await asyncio.gather(*[caller() for _ in range(IN_FLIGHT)])
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch

    async def _watch(self) -> None:
        while not self._frozen:
            await asyncio.sleep(LOOK_EVERY)
            answer = await self._http.get(f"{self._server.url}/health-check")
            self._frozen = "restart this container" in answer.text
        self._seen["freezes that health saw"] += 1

    async def _predict(self, number: int, dice: random.Random, picture: str) -> None:
        is_edit, leaves = dice.random() < 0.6, dice.random() < 0.7
        seconds = dice.choice([0, 0, 0.3, 3])
        body = {"prompt": f"A lighthouse [#{number}] [sandbox:slow seconds={seconds}]"}
        inputs = body | ({"input_images": [picture] * 3} if is_edit else {})
        sending = asyncio.create_task(self._send(inputs))
        if leaves:
            await asyncio.sleep(dice.uniform(0, 0.05))
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            self._seen["left"] += 1
            return
        status = await sending
        self._seen[status] += 1
        if status == "hangs" and not self._frozen:
            self.problems.append(f"prediction {number} hung, and health did not say so")
        if status == "hangs" and not is_edit:
            self.problems.append(f"prediction {number} had no input images, and hung")
        if status not in {"succeeded", "hangs"}:
            self.problems.append(f"prediction {number} ended as {status}")

    async def _send(self, inputs: Mapping[str, object]) -> str:
        started = time.monotonic()
        while True:
            patience = SEEN_WITHIN if "input_images" in inputs else GIVE_UP
            try:
                answer = await self._http.post(
                    f"{self._server.url}/predictions", json={"input": inputs}, timeout=patience
                )
            except httpx2.TimeoutException:
                return "hangs"
            if answer.status_code != 409:
                return str(answer.json().get("status", answer.status_code))
            if time.monotonic() - started > GIVE_UP:  # frozen predictions keep their slots
                return "hangs"
            await asyncio.sleep(0.02)


async def hang_ups(total: int, sandbox: Server, seen: Counter[str]) -> list[str]:
    """Everything that is not as promised, one line each."""
    numbers, dice = iter(range(1, total + 1)), random.Random(0)
    problems: list[str] = []
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(limits=limits, timeout=GIVE_UP, trust_env=False) as http:
        while (first := next(numbers, None)) is not None:
            numbers = _with(first, numbers)
            with predictor_server(
                OPENAI_PROXY_URL=sandbox.url, COG_MAX_CONCURRENCY=str(2 * IN_FLIGHT)
            ) as server:
                this = Round(server, http, seen)
                await this.run(numbers, dice, _picture())
            problems += this.problems
        answer = await http.get(f"{sandbox.root}/sandbox/ledger")
    billed = Counter(e["number"] for e in answer.json()["entries"] if e["billed"])
    seen["billed"] = billed.total()
    return problems + [f"{number} was billed {n} times" for number, n in billed.items() if n > 1]


def _with(first: int, rest: Iterator[int]) -> Iterator[int]:
    yield first
    yield from rest


def _picture() -> str:
    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return f"data:image/png;base64,{pybase64.b64encode(file.getvalue()).decode()}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hang_ups", description=__doc__)
    parser.add_argument("--predictions", type=int, default=PREDICTIONS)
    total = parser.parse_args().predictions
    seen: Counter[str] = Counter()
    started = time.monotonic()
    with sandbox_server(SANDBOX_PRERENDERED="true") as sandbox:
        problems = asyncio.run(hang_ups(total, sandbox, seen))
    print(*[f"{count:5} {kind}" for kind, count in seen.most_common()], sep="\n")
    print(f"it took {time.monotonic() - started:.0f} s", *problems, sep="\n")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
