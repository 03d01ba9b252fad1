"""`python -m benchmarks.bare_sdk`: the openai SDK called directly, no server around it.

Reads jobs from stdin, writes what happened in each to stdout, a line of JSON each. One prediction
is the call, the decoding and the writing of the files.
"""

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai

from benchmarks.processes import Watched


@dataclass(frozen=True)
class Job:
    base_url: str
    arguments: dict[str, Any]
    input_files: list[str]
    in_flight: int
    requests: int
    seconds: float


@dataclass
class Runner:
    job: Job
    client: openai.AsyncOpenAI
    directory: Path
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    left: int = 0
    ends: float = 0.0

    async def run(self, requests: int) -> None:
        self.left, self.ends = requests, time.perf_counter() + self.job.seconds
        self.latencies, self.failures = [], []
        await asyncio.gather(*[self._sender() for _ in range(self.job.in_flight)])

    async def _sender(self) -> None:
        first = True
        while self.left > 0 and (first or time.perf_counter() < self.ends):
            self.left -= 1
            first = False
            started = time.perf_counter()
            try:
                await self._one(self.left)
            except openai.OpenAIError as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            else:
                self.latencies.append(time.perf_counter() - started)

    async def _one(self, number: int) -> None:
        arguments = self.job.arguments
        if self.job.input_files:
            files = [Path(file) for file in self.job.input_files]
            answer = await self.client.images.edit(image=files, **arguments)
        else:
            answer = await self.client.images.generate(**arguments)
        for index, image in enumerate(answer.data or []):
            content = base64.b64decode(image.b64_json or "")
            (self.directory / f"{number}-{index}").write_bytes(content)


async def measure(job: Job, directory: Path) -> dict[str, Any]:
    async with openai.AsyncOpenAI(
        base_url=job.base_url, api_key="test-key-sdk", max_retries=0
    ) as client:
        return await _measured(Runner(job, client, directory))


async def _measured(runner: Runner) -> dict[str, Any]:
    watched = Watched(os.getpid()).begin()
    started = time.perf_counter()
    await runner.run(runner.job.requests)
    wall = time.perf_counter() - started
    used = watched.end()
    return {
        "latencies": runner.latencies,
        "failures": runner.failures,
        "wall": wall,
        "cpu": used.cpu,
        "peak": used.peak,
        "growth": used.growth,
    }


def main() -> None:
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as folder:
            outcome = asyncio.run(measure(Job(**json.loads(line)), Path(folder)))
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
