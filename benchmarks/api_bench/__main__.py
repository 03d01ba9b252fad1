"""`python -m benchmarks.api_bench [--rounds N]`: side by side, in under 12 minutes."""

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from benchmarks import machine, rounds
from benchmarks.__main__ import bench as open_bench
from benchmarks.api_bench import claims, edits, memory, report, submits
from benchmarks.api_bench.contenders import ALL
from benchmarks.cells import LIGHT, Cell
from benchmarks.claims import Claim
from benchmarks.contenders import Bench, Sample
from dev.servers import PROJECT

RESULTS = PROJECT / "benchmarks" / "api_bench" / "results.json"
LONGER = 2.5
"""Times the usual time of a cell: a prediction through the API takes longer than the bare one."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="a little of each, nothing is written")
    arguments = parser.parse_args()
    started = time.monotonic()
    measured_on = machine.describe()
    with open_bench() as bench:
        results = _smoke(bench) if arguments.smoke else _measure(bench, arguments.rounds)
    results |= {"machine": measured_on, "rounds": arguments.rounds}
    print(*_checked(results), sep="\n")
    print(f"It took {(time.monotonic() - started) / 60:.1f} minutes.")
    if not arguments.smoke:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        write_page()
    return 0


def write_page() -> None:
    """Bring docs/api-performance.md up to date with results.json."""
    results = json.loads(RESULTS.read_text())
    where = results["machine"]
    report.write(
        "machine",
        f"Measured on {where['date']}: {where['cpu']}, {where['cores']} cores, {where['memory']}, "
        f"Python {where['python']}, load average {where['load_before']} before the run; medians "
        f"of {results['rounds']} interleaved rounds.",
    )
    report.write("claims", report.claims(_checked(results)))
    report.write("submits", report.submits(submits.Submits(**results["submits"])))
    report.write("edits", report.edits(results["edits"]))
    report.write("memory", report.memory(memory.Memory(**results["memory"])))
    report.write("cells", report.cells(rounds.from_json(results["cells"])))


def _measure(bench: Bench, count: int) -> dict[str, Any]:
    cells = [Cell(**asdict(cell) | {"seconds": LONGER * cell.seconds}) for cell in LIGHT]
    return {
        "cells": rounds.to_json(_rounds(bench, count, cells)),
        "submits": asdict(submits.measure(bench)),
        "edits": edits.measure(bench),
        "memory": asdict(memory.measure(bench)),
    }


def _smoke(bench: Bench) -> dict[str, Any]:
    return {
        "cells": rounds.to_json(_rounds(bench, 1, LIGHT[:1])),
        "submits": asdict(submits.measure(bench, times=30)),
        "edits": edits.measure(bench, times=1),
        "memory": asdict(memory.measure(bench)),
    }


def _rounds(bench: Bench, count: int, cells: list[Cell] | tuple[Cell, ...]) -> rounds.Table:
    rounds.prerender(bench, cells)
    samples: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for number in range(count):
        turn = number % len(ALL)
        for contender in [*ALL[turn:], *ALL[:turn]]:
            started = time.monotonic()
            for cell, sample in rounds.measure(contender, bench, cells):
                samples[cell.name][contender.name].append(sample)
            seconds = time.monotonic() - started
            print(f"round {number + 1} of {count}: {contender.title}, {seconds:.0f} s", flush=True)
    return {cell: rounds.figures(by_contender) for cell, by_contender in samples.items()}


def _checked(results: dict[str, Any]) -> list[Claim]:
    return claims.check(
        rounds.from_json(results["cells"]),
        submits.Submits(**results["submits"]),
        results["edits"],
        memory.Memory(**results["memory"]),
    )


if __name__ == "__main__":
    sys.exit(main())
