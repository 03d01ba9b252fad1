"""Who is measured: each runs in processes of its own in front of the same sandbox."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks import bare_sdk, load
from benchmarks.cells import Cell, Inputs, Request, to_cog, to_images_api
from benchmarks.processes import Used, Watched, cpu_seconds
from dev.servers import PROJECT, Server, clean_environment, predictor_server
from dev.servers.fastapi import fastapi_server
from dev.servers.litellm import litellm_proxy

SLOTS = "256"
KEY = "test-key-operator"
CLIENT_GIVES_UP = 120.0  # seconds


@dataclass(frozen=True)
class Sample:
    """One cell, once. Seconds and bytes; CPU and memory by role of the process."""

    latencies: list[float]
    predict_times: list[float]
    failures: list[str]
    busy: int
    wall: float
    answer_bytes: int
    used: Used
    client_cpu: float
    sandbox_cpu: float


class Running(Protocol):
    def sample(self, cell: Cell) -> Sample: ...


@dataclass(frozen=True)
class Bench:
    """What all contenders share."""

    sandbox: Server
    inputs: Inputs
    ready_files: Mapping[str, Path]
    """By kind of cell, the image that the upstream answers with."""


@dataclass(frozen=True)
class Contender:
    """`started()` yields it ready for requests, in fresh processes."""

    name: str
    title: str
    started: Callable[[Bench], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Served:
    """A contender that is a server."""

    bench: Bench
    server: Server
    request: Callable[[Cell, Inputs], Request]
    key: str | None = None
    behind: tuple[Server, ...] = ()
    """Servers that do its work and are measured with it."""

    def sample(self, cell: Cell) -> Sample:
        request = self.request(cell, self.bench.inputs)
        with tempfile.NamedTemporaryFile() as file:
            file.write(request.to_bytes(self.key))
            file.flush()
            job = load.Job(
                port=int(self.server.root.rpartition(":")[2]),
                request_file=file.name,
                sign_of_success=request.sign_of_success,
                in_flight=cell.in_flight,
                requests=cell.requests,
                seconds=cell.seconds,
            )
            servers = (self.server, *self.behind)
            watched = Watched(*(server.process.pid for server in servers)).begin()
            before = cpu_seconds(self.bench.sandbox.process.pid)
            outcome = load.Outcome(**send(job))
            sandbox_cpu = cpu_seconds(self.bench.sandbox.process.pid) - before
            used = watched.end()
        return Sample(
            latencies=outcome.latencies,
            predict_times=outcome.predict_times,
            failures=outcome.failures,
            busy=outcome.busy,
            wall=outcome.wall,
            answer_bytes=outcome.answer_bytes,
            used=used,
            client_cpu=outcome.client_cpu,
            sandbox_cpu=sandbox_cpu,
        )


@dataclass(frozen=True)
class Direct:
    """The SDK in a process of its own that makes its own load."""

    bench: Bench
    process: subprocess.Popen[str]

    def sample(self, cell: Cell) -> Sample:
        files = self.bench.inputs.files[: cell.input_count]
        job = bare_sdk.Job(
            base_url=self.bench.sandbox.url,
            arguments=cell.arguments,
            input_files=[str(file) for file in files],
            in_flight=cell.in_flight,
            requests=cell.requests,
            seconds=cell.seconds,
        )
        before = cpu_seconds(self.bench.sandbox.process.pid)
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(asdict(job)), file=self.process.stdin, flush=True)
        outcome = json.loads(self.process.stdout.readline())
        return Sample(
            latencies=outcome["latencies"],
            predict_times=[],
            failures=outcome["failures"],
            busy=0,
            wall=outcome["wall"],
            answer_bytes=0,
            used=Used(outcome["cpu"], outcome["peak"], outcome["growth"]),
            client_cpu=0.0,
            sandbox_cpu=cpu_seconds(self.bench.sandbox.process.pid) - before,
        )


def send(job: load.Job) -> dict[str, Any]:
    """What a load client in a process of its own saw: the fields of `load.Outcome`."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=PROJECT,
        env=clean_environment(),
        input=json.dumps(asdict(job)).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=CLIENT_GIVES_UP,
    )
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@contextmanager
def _wire(bench: Bench) -> Iterator[Running]:
    yield Served(bench, bench.sandbox, to_images_api, KEY)


def predictor_of(checkout: Path) -> Callable[[Bench], AbstractContextManager[Running]]:
    """This predictor, or another version of it."""

    @contextmanager
    def started(bench: Bench) -> Iterator[Running]:
        with predictor_server(
            checkout=checkout, OPENAI_PROXY_URL=bench.sandbox.url, COG_MAX_CONCURRENCY=SLOTS
        ) as server:
            yield Served(bench, server, to_cog)

    return started


@contextmanager
def _other_predictor(bench: Bench, name: str, **environment: str) -> Iterator[Running]:
    with predictor_server(
        COG_PREDICT_TYPE_STUB=f"benchmarks/predictors/{name}.py:Predictor",
        COG_MAX_CONCURRENCY=SLOTS,
        **environment,
    ) as server:
        yield Served(bench, server, to_cog)


def _naive(bench: Bench) -> AbstractContextManager[Running]:
    return _other_predictor(bench, "naive", OPENAI_BASE_URL=bench.sandbox.url, OPENAI_API_KEY=KEY)


def cog_alone(bench: Bench, cell: Cell, seconds: float) -> AbstractContextManager[Running]:
    """A predictor that takes the inputs, waits `seconds` and returns ready files."""
    file = bench.ready_files[cell.kind]
    return _other_predictor(bench, "awaits", AWAIT_SECONDS=str(seconds), AWAIT_FILE=str(file))


def floor(bench: Bench) -> AbstractContextManager[Running]:
    """A predictor that does no more than it must; takes only a prompt."""
    return _other_predictor(bench, "floor", FLOOR_URL=bench.sandbox.url)


@contextmanager
def _sdk(bench: Bench) -> Iterator[Running]:
    command = [sys.executable, "-m", "benchmarks.bare_sdk"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=PROJECT, env=clean_environment(), stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield Direct(bench, process)


@contextmanager
def _litellm(bench: Bench) -> Iterator[Running]:
    with litellm_proxy(bench.sandbox.url) as server:
        yield Served(bench, server, to_images_api, server.key)


@contextmanager
def _fastapi(bench: Bench) -> Iterator[Running]:
    with fastapi_server(bench.sandbox.url, KEY) as server:
        yield Served(bench, server, to_cog)


WIRE = Contender("wire", "the upstream itself", _wire)
OURS = Contender("ours", "this predictor", predictor_of(PROJECT))
SDK = Contender("sdk", "bare openai SDK", _sdk)
NAIVE = Contender("naive", "naive Cog predictor", _naive)
LITELLM = Contender("litellm", "LiteLLM proxy", _litellm)
FASTAPI = Contender("fastapi", "FastAPI and the SDK", _fastapi)
ALL = (WIRE, OURS, SDK, NAIVE, LITELLM, FASTAPI)
