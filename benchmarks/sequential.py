"""One prediction at a time, side by side: the contenders take turns of a third of a second.

Apart from the rounds because a shared machine changes its speed from minute to minute by more than
the contenders differ: two runs of the rounds, of nearly the same code, gave 0.76 and 0.93 of naive.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.cells import LIGHT
from benchmarks.contenders import NAIVE, OURS, SDK, Bench, Sample

TURNS = 20
WARM_UP_TURNS = 3
CELL = replace(LIGHT[0], requests=10_000, seconds=0.35)

Medians = Mapping[str, Sequence[float]]
"""By contender, of each turn the median seconds: Cog's predict time, or the SDK's call, decoding
and writing."""


def measure(bench: Bench) -> Medians:
    print("sequential predictions, turn by turn", flush=True)
    with ExitStack() as stack:
        running = [
            (contender.name, stack.enter_context(contender.started(bench)))
            for contender in (OURS, SDK, NAIVE)
        ]
        medians: dict[str, list[float]] = {name: [] for name, _ in running}
        for turn in range(WARM_UP_TURNS + TURNS):
            first = turn % len(running)
            for name, contender in [*running[first:], *running[:first]]:
                medians[name].append(_median(contender.sample(CELL)))
        return {name: seconds[WARM_UP_TURNS:] for name, seconds in medians.items()}


def above_sdk(medians: Medians) -> float:
    """Seconds: the median of the differences of turns that followed on each other."""
    pairs = zip(medians[OURS.name], medians[SDK.name], strict=True)
    return statistics.median([ours - sdk for ours, sdk in pairs])


def of_naive(medians: Medians) -> float:
    pairs = zip(medians[OURS.name], medians[NAIVE.name], strict=True)
    return statistics.median([ours / naive for ours, naive in pairs])


def _median(sample: Sample) -> float:
    return statistics.median(sample.predict_times or sample.latencies)
