"""Runs all contenders in turn, several times over, and boils each cell down to medians."""

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace

from benchmarks.cells import LIGHT, WARM_UP, Cell
from benchmarks.contenders import (
    ALL,
    WIRE,
    Bench,
    Contender,
    Running,
    Sample,
    cog_alone,
    floor,
)

FULL_LOAD = next(cell for cell in LIGHT if cell.in_flight == 256 and cell.delay)
ALONE = "cog"
"""Cog alone: it runs `FULL_LOAD`, for that is compared with it, and the heavy cells."""
FLOOR = "floor"
"""What any predictor on Cog needs at least: it runs `FULL_LOAD`."""


@dataclass(frozen=True)
class Figures:
    """A cell of a contender: seconds, bytes, and medians over the rounds.

    `added_*` is client-seen time less the median time that the same requests took when the same
    client sent them to the upstream itself, as many at once, in the same round.
    """

    rounds: int
    predictions: int
    failures: list[str]
    busy: int
    p50: float
    p95: float
    added_p50: float
    added_p95: float
    per_second: float
    wall: float
    cpu_per_prediction: float
    worker_cpu: float
    peak: float
    worker_growth: float
    answer_bytes: int
    client_cpu_share: float
    sandbox_cpu_share: float


Samples = dict[str, dict[str, list[Sample]]]
Table = dict[str, dict[str, Figures]]
"""By cell's name, then by contender's."""


def run(bench: Bench, rounds: int, light: Sequence[Cell], heavy: Sequence[Cell]) -> Table:
    """Measure; each contender starts anew for the light and for the heavy cells of each round."""
    prerender(bench, [*light, *heavy])
    samples: Samples = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        # Rotated, so that none always runs in the heat of the same neighbour.
        turn = number % len(ALL)
        for contender in [*ALL[turn:], *ALL[:turn]]:
            started = time.monotonic()
            for cells in filter(None, (light, heavy)):
                for cell, sample in measure(contender, bench, cells):
                    samples[cell.name][contender.name].append(sample)
            seconds = time.monotonic() - started
            print(f"round {number + 1} of {rounds}: {contender.title}, {seconds:.0f} s", flush=True)
        for cell in [*([FULL_LOAD] if FULL_LOAD in light else []), *heavy]:
            upstream = samples[cell.name][WIRE.name][-1]
            seconds = cell.delay or _percentile(upstream, 0.5)
            samples[cell.name][ALONE].append(_only(cog_alone(bench, cell, seconds), cell))
        if FULL_LOAD in light:
            samples[FULL_LOAD.name][FLOOR].append(_only(floor(bench), FULL_LOAD))
    return {cell: figures(by_contender) for cell, by_contender in samples.items()}


def prerender(bench: Bench, cells: Sequence[Cell]) -> None:
    """Let the sandbox draw each kind of answer once."""
    with WIRE.started(bench) as running:
        for cell in cells:
            running.sample(cell)


def measure(
    contender: Contender, bench: Bench, cells: Sequence[Cell]
) -> Iterator[tuple[Cell, Sample]]:
    """Start it, warm it up, and run the cells."""
    with contender.started(bench) as running:
        running.sample(WARM_UP)
        for cell in cells:
            yield cell, running.sample(cell)


def _only(started: AbstractContextManager[Running], cell: Cell) -> Sample:
    with started as running:
        running.sample(replace(WARM_UP, requests=2))
        return running.sample(cell)


def figures(by_contender: dict[str, list[Sample]]) -> dict[str, Figures]:
    """One cell, boiled down for each contender; `WIRE` has to be one of them."""
    upstream = [_percentile(sample, 0.5) for sample in by_contender[WIRE.name]]
    return {name: _boiled(samples, upstream) for name, samples in by_contender.items()}


def _boiled(samples: Sequence[Sample], upstream: Sequence[float]) -> Figures:
    p50 = [_percentile(sample, 0.5) for sample in samples]
    p95 = [_percentile(sample, 0.95) for sample in samples]
    done = [max(1, len(sample.latencies)) for sample in samples]
    cpu = [sum(sample.used.cpu.values()) for sample in samples]

    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    return Figures(
        rounds=len(samples),
        predictions=sum(len(sample.latencies) for sample in samples),
        failures=[failure for sample in samples for failure in sample.failures][:5],
        busy=sum(sample.busy for sample in samples),
        p50=median(p50),
        p95=median(p95),
        added_p50=median([seen - own for seen, own in zip(p50, upstream, strict=True)]),
        added_p95=median([seen - own for seen, own in zip(p95, upstream, strict=True)]),
        per_second=median([len(sample.latencies) / sample.wall for sample in samples]),
        wall=median([sample.wall for sample in samples]),
        cpu_per_prediction=median([used / count for used, count in zip(cpu, done, strict=True)]),
        worker_cpu=median(
            [
                sample.used.cpu.get("worker", 0.0) / n
                for sample, n in zip(samples, done, strict=True)
            ]
        ),
        peak=median([sum(sample.used.peak.values()) for sample in samples]),
        worker_growth=median([sample.used.growth.get("worker", 0) for sample in samples]),
        answer_bytes=samples[-1].answer_bytes,
        client_cpu_share=median([sample.client_cpu / sample.wall for sample in samples]),
        sandbox_cpu_share=median([sample.sandbox_cpu / sample.wall for sample in samples]),
    )


def _percentile(sample: Sample, share: float) -> float:
    """The nearest rank; 0 where nothing succeeded, which the failures tell."""
    ordered = sorted(sample.latencies)
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0


def to_json(table: Table) -> dict[str, dict[str, dict[str, object]]]:
    return {
        cell: {name: asdict(figures) for name, figures in row.items()}
        for cell, row in table.items()
    }


def from_json(table: dict[str, dict[str, dict[str, object]]]) -> Table:
    return {
        cell: {name: Figures(**figures) for name, figures in row.items()}  # type: ignore[arg-type]
        for cell, row in table.items()
    }
