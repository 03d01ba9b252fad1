"""`python -m benchmarks.before CHECKOUT`: this predictor beside another version of it.

Both run at the same time and take turns, cell by cell, because a shared machine changes its speed
from minute to minute. A ratio is the median of those of turns that followed on each other.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.__main__ import bench
from benchmarks.cells import HEAVY, LIGHT, WARM_UP, Cell
from benchmarks.contenders import OURS, Bench, Sample, predictor_of
from benchmarks.report import markdown
from dev.servers import PROJECT

TURNS = {0.0: 12, 2.0: 6}
"""By the upstream's delay in seconds."""
TURNS_HEAVY = 6
WORSE = 1.05

Pair = tuple[Sample, Sample]
"""Before, after."""


def measure(bench: Bench, other: Path, cell: Cell, turns: int) -> list[Pair]:
    """So many turns of one cell, the first of each pair changing from turn to turn."""
    with ExitStack() as stack:
        before = stack.enter_context(predictor_of(other)(bench))
        after = stack.enter_context(OURS.started(bench))
        for running in (before, after):
            running.sample(WARM_UP)
            running.sample(cell)
        pairs = []
        for turn in range(turns):
            if turn % 2:
                second = after.sample(cell)
                pairs.append((before.sample(cell), second))
            else:
                first = before.sample(cell)
                pairs.append((first, after.sample(cell)))
        return pairs


def row(cell: Cell, pairs: Sequence[Pair]) -> list[str]:
    figures: dict[str, Callable[[Sample], float]] = {
        "ms": lambda sample: statistics.median(sample.latencies) * 1000,
        "CPU": lambda sample: sum(sample.used.cpu.values()) * 1000 / len(sample.latencies),
        "MiB": lambda sample: sum(sample.used.peak.values()) / 2**20,
    }
    shown = [cell.name]
    for figure in figures.values():
        before = statistics.median(figure(first) for first, _ in pairs)
        after = statistics.median(figure(second) for _, second in pairs)
        ratio = statistics.median(figure(second) / figure(first) for first, second in pairs)
        worse = " worse" if ratio > WORSE else ""
        shown.append(f"{before:.1f} -> {after:.1f} ({ratio:.2f}{worse})")
    failed = [failure for pair in pairs for sample in pair for failure in sample.failures]
    return [*shown, str(len(failed) or "")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a folder with the version to compare with")
    other = parser.parse_args().checkout.resolve()
    if not (other / "predict.py").is_file():
        parser.error(f"{other} holds no predict.py")
    rows = []
    with bench() as ready:
        for cell in [*LIGHT, *HEAVY]:
            turns = TURNS_HEAVY if cell in HEAVY else TURNS[cell.delay]
            rows.append(row(cell, measure(ready, other, cell, turns)))
            print(" | ".join(rows[-1]), flush=True)
    head = ["cell", "median, ms", "CPU each, ms", "peak memory, MiB", "failed"]
    print(f"\nBefore ({other.name}) -> after ({PROJECT.name}), and the ratio:\n")
    print(*markdown(head, rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
