"""`python -m benchmarks.load`: a load client in a process of its own, as thin as Python allows.

Reads a job from stdin, writes what happened to stdout, both JSON. Answers are received into one
buffer per connection and looked into, never parsed, so that ten 4K PNGs cost it a memory copy.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dev.busy import BUSY

_DONE = {200, 201}
_BUSY_PAUSE = 0.01  # seconds
_PREDICT_TIME = re.compile(rb'"predict_time":([\d.e-]+)')


@dataclass(frozen=True)
class Job:
    """The same request, many times over.

    At most `in_flight` at once and `requests` in all; after `seconds` no further one is started,
    except that each connection sends at least one.
    """

    port: int
    request_file: str
    sign_of_success: str
    in_flight: int
    requests: int
    seconds: float


@dataclass
class Outcome:
    """Seconds, one entry a request; `predict_times` are Cog's, empty for other servers."""

    latencies: list[float] = field(default_factory=list)
    predict_times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    busy: int = 0
    wall: float = 0.0
    client_cpu: float = 0.0
    answer_bytes: int = 0


class Connection(asyncio.BufferedProtocol):
    """One keep-alive connection to a server that sends Content-Length."""

    def __init__(self) -> None:
        self._buffer = bytearray(1 << 16)
        self._filled = 0
        self._head = self._size = 0
        self._answer: asyncio.Future[tuple[int, memoryview]] | None = None
        self._transport: asyncio.WriteTransport | None = None

    async def exchange(self, port: int, request: bytes) -> tuple[int, memoryview]:
        """Send a request; its answer's status and body, the latter valid until the next call."""
        if self._transport is None or self._transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        assert self._transport is not None
        self._filled = self._head = self._size = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed before the answer's end"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if not self._size:
            self._read_head()
        if self._size and self._filled >= self._size and self._answer:
            body = memoryview(self._buffer)[self._head : self._size]
            self._answer.set_result((int(self._buffer[9:12]), body))
            self._answer = None

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n", 0, self._filled)
        if end < 0:
            return
        length = re.search(rb"content-length: *(\d+)", self._buffer[:end], re.IGNORECASE)
        if not length:
            raise ValueError("the server sends no Content-Length")
        self._head = end + 4
        self._size = self._head + int(length[1])
        if self._size > len(self._buffer):
            larger = bytearray(self._size + 4096)
            larger[: self._filled] = memoryview(self._buffer)[: self._filled]
            self._buffer = larger


class Load:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._request = Path(job.request_file).read_bytes()
        self._left = job.requests
        self._ends = 0.0
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        cpu, started = time.process_time(), time.perf_counter()
        self._ends = started + self._job.seconds
        await asyncio.gather(*[self._sender() for _ in range(self._job.in_flight)])
        self.outcome.wall = time.perf_counter() - started
        self.outcome.client_cpu = time.process_time() - cpu
        return self.outcome

    async def _sender(self) -> None:
        connection = Connection()
        first = True
        while self._left > 0 and (first or time.perf_counter() < self._ends):
            self._left -= 1
            first = False
            try:
                await self._one(connection)
            except OSError as error:
                self.outcome.failures.append(f"{type(error).__name__}: {error}")

    async def _one(self, connection: Connection) -> None:
        started = time.perf_counter()
        while True:
            status, body = await connection.exchange(self._job.port, self._request)
            if status != BUSY:
                break
            self.outcome.busy += 1
            await asyncio.sleep(_BUSY_PAUSE)
        latency = time.perf_counter() - started
        start, end = bytes(body[:4096]), bytes(body[-4096:])
        if status not in _DONE or self._job.sign_of_success.encode() not in start + end:
            self.outcome.failures.append(f"{status} {start[:300]!r}")
            return
        self.outcome.latencies.append(latency)
        self.outcome.answer_bytes = len(body)
        if found := _PREDICT_TIME.search(start):
            self.outcome.predict_times.append(float(found[1]))


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    outcome = asyncio.run(Load(Job(**job)).run())
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
