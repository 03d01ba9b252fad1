"""How long a prediction takes from being sent to its 201: idle, and behind 1,000 that wait."""

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.api_bench.api_server import Served, api_and_cog
from benchmarks.api_bench.contenders import PREDICTIONS, to_submit
from benchmarks.contenders import Bench
from benchmarks.contenders import send as send_load

SLOTS = 32
QUEUED = 1000
TIMES = 300
_PLAIN = "A lighthouse at dusk"
_SLOW = f"{_PLAIN} [sandbox:slow seconds=2]"
_ENDS = ('"status":"succeeded"', '"status":"failed"', '"status":"canceled"')


@dataclass(frozen=True)
class Submits:
    """Seconds."""

    idle_p50: float
    idle_p99: float
    queued_p50: float
    queued_p99: float


def measure(bench: Bench, times: int = TIMES) -> Submits:
    """Each idle one is sent when the one before has ended; the queued ones one after another."""
    with api_and_cog(SLOTS, predictor={"OPENAI_PROXY_URL": bench.sandbox.url}) as served:
        idle = [_submit_and_wait(served) for _ in range(times // 2)][10:]
        _queue(served)
        queued = [_submit(served, _SLOW)[0] for _ in range(times)]
    return Submits(*_p50_p99(idle), *_p50_p99(queued))


def as_json(submits: Submits) -> dict[str, float]:
    return asdict(submits)


def _p50_p99(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[round(0.99 * (len(ordered) - 1))]


def _queue(served: Served) -> None:
    request = to_submit(_SLOW)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(request.to_bytes(served.api.token))
        many = QUEUED + SLOTS
        job = load.Job(served.api.port, file.name, request.sign_of_success, 8, many, 60.0)
        outcome = send_load(job)
    if outcome["failures"]:
        raise RuntimeError(f"a prediction was not accepted: {outcome['failures'][0]}")


def _submit_and_wait(served: Served) -> float:
    seconds, id = _submit(served, _PLAIN)
    while not any(end in _ask(served, "GET", f"/v1/predictions/{id}") for end in _ENDS):
        time.sleep(0.02)
    return seconds


def _submit(served: Served, prompt: str) -> tuple[float, str]:
    body = json.dumps({"input": {"prompt": prompt}})
    started = time.perf_counter()
    answer = _ask(served, "POST", PREDICTIONS, body)
    return time.perf_counter() - started, str(json.loads(answer)["id"])


def _ask(served: Served, method: str, path: str, body: str | None = None) -> str:
    # A connection for each, as clients that are started for one prediction have it.
    connection = http.client.HTTPConnection("127.0.0.1", served.api.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {served.api.token}"}
        connection.request(method, path, body, headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
