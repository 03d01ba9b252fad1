"""What the API and Cog hold: idle, with 256 predictions in flight, and for ten 4K PNGs."""

from dataclasses import dataclass

from benchmarks.api_bench.api_server import api_and_cog
from benchmarks.api_bench.contenders import to_replicate
from benchmarks.cells import TEN, WARM_UP
from benchmarks.contenders import SLOTS, Bench, Sample, Served
from benchmarks.rounds import FULL_LOAD


@dataclass(frozen=True)
class Memory:
    """Bytes; `idle` and `full` by role: `http` is the API, `worker` all of Cog's processes."""

    idle: dict[str, int]
    full: dict[str, int]
    ten_growth: int
    """Of the API's peak, while ten 4K PNGs came."""


def measure(bench: Bench) -> Memory:
    """In one server, the heavier later, because a server keeps much of what it once took."""
    with api_and_cog(int(SLOTS), predictor={"OPENAI_PROXY_URL": bench.sandbox.url}) as served:
        first, cog = served.processes
        running = Served(bench, first, to_replicate, served.api.token, (cog,))
        running.sample(WARM_UP)
        before = running.sample(WARM_UP).used
        ten = _succeeded(running.sample(TEN))
        full = _succeeded(running.sample(FULL_LOAD))
    idle = {role: peak - before.growth[role] for role, peak in before.peak.items()}
    return Memory(idle, dict(full.used.peak), ten.used.growth["http"])


def _succeeded(sample: Sample) -> Sample:
    if sample.failures:
        raise RuntimeError(f"a prediction failed: {sample.failures[0]}")
    return sample
