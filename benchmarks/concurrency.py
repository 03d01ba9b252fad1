"""How much memory predictions in flight take, and how many fit beside each other."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.cells import LIGHT, WARM_UP, Cell
from benchmarks.contenders import OURS, Bench
from benchmarks.report import markdown

IN_FLIGHT = (8, 32, 64, 256)
SIZES = {"512 MB": 512 << 20, "2 GB": 2 << 30, "8 GB": 8 << 30}
SPARE = 0.75
"""Share of a memory limit that predictions may take; the rest is page cache and surprise."""
KINDS = {
    "1024 WebP": LIGHT[0],
    "4K PNG": Cell("4K PNG", "png", 1, 1),
    "ten 4K PNGs": Cell("ten 4K PNGs", "ten", 1, 1),
}
HEAVY_IN_FLIGHT = (1, 2, 4)


def measure(bench: Bench) -> dict[str, dict[str, dict[str, float]]]:
    """Peak bytes of all of the predictor's processes, by kind, predictions in flight and role.

    Each figure is of a server that has just been started, all predictions sent at one moment with
    a delay of 1 s upstream, so that all answers come at once: the worst case.
    """
    print("memory by predictions in flight", flush=True)
    return {
        kind: {
            str(count): _peak(bench, replace(cell, in_flight=count, requests=count, delay=1.0))
            for count in (IN_FLIGHT if cell.kind == "webp" else HEAVY_IN_FLIGHT)
        }
        for kind, cell in KINDS.items()
    }


def _peak(bench: Bench, cell: Cell) -> dict[str, float]:
    with OURS.started(bench) as running:
        running.sample(WARM_UP)
        sample = running.sample(cell)
    if sample.failures:
        raise RuntimeError(f"a prediction failed: {sample.failures[0]}")
    return dict(sample.used.peak)


def fits(peaks: Mapping[str, Mapping[str, float]], limit: int) -> int:
    """How many predictions of a kind fit below `limit` bytes, on the line through the ends."""
    counts = sorted(peaks, key=int)
    first, last = counts[0], counts[-1]
    low, high = (sum(peaks[count].values()) for count in (first, last))
    each = max(1.0, (high - low) / (int(last) - int(first)))
    idle = low - each * int(first)
    return max(0, int((limit * SPARE - idle) / each))


def as_markdown(memory: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    measured = [
        [kind, count, *(f"{peak[role] / 2**20:.0f} MiB" for role in ("http", "worker"))]
        for kind, peaks in memory.items()
        for count, peak in peaks.items()
    ]
    head = ["predictions of", "in flight", "Cog's HTTP process", "worker"]
    room = [
        [kind, *(str(fits(peaks, limit)) for limit in SIZES.values())]
        for kind, peaks in memory.items()
    ]
    return "\n".join([*markdown(head, measured), "", *markdown(["fit into", *SIZES], room)])
