"""What the predictor promises about its speed, each said as a ratio and as true or not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks import sequential
from benchmarks.cells import HEAVY, LIGHT, TEN
from benchmarks.rounds import ALONE, FLOOR, FULL_LOAD, Figures, Table

MILLISECOND = 0.001

# Where Cog, not the predictor, decides a row; by kind of cell.
COGS_SHARE = {
    "ten": "Cog's HTTP process holds an answer several times over as data URIs, which it does not "
    "with --upload-url",
    "edit": "Cog takes input images as data URIs in JSON, a third larger than the form that "
    "LiteLLM takes, decodes them in the worker and writes them to files",
}
AGAINST_LITELLM: Mapping[str, Callable[[Figures], float]] = {
    "added latency": lambda figures: figures.added_p50,
    "seconds per prediction": lambda figures: 1 / figures.per_second,
    "peak memory": lambda figures: figures.peak,
}
KINDS = {cell.name: cell.kind for cell in (*LIGHT, *HEAVY)}


@dataclass(frozen=True)
class Claim:
    text: str
    figure: str
    holds: bool
    reason: str = ""
    """Why not, where that is known and accepted."""

    def __str__(self) -> str:
        verdict = "pass" if self.holds else "FAIL"
        reason = f" ({self.reason})" if self.reason and not self.holds else ""
        return f"{verdict}  {self.text}: {self.figure}{reason}"


@dataclass(frozen=True)
class Comparison:
    """A figure of ours in one cell, as a multiple of LiteLLM's; below 1 is better."""

    cell: str
    what: str
    ratio: float
    alone: float | None = None
    """The same for Cog without this predictor, where that decides the row."""

    @property
    def claim(self) -> Claim:
        reason = ""
        if self.alone:
            reason = f"Cog alone comes to {self.alone:.2f}: {COGS_SHARE[KINDS[self.cell]]}"
        text = f"{self.cell}: {self.what} over LiteLLM's, at most 1"
        return Claim(text, f"{self.ratio:.2f}", self.ratio <= 1, reason)


def check(table: Table) -> list[Claim]:
    """All claims that the measured cells allow."""
    return [*check_load(table), *(each.claim for each in against_litellm(table))]


def check_load(table: Table) -> list[Claim]:
    """Those of them that are not about LiteLLM."""
    claims: list[Claim] = []
    if TEN.name in table:
        claims += _ten(table[TEN.name])
    if ALONE in table.get(FULL_LOAD.name, {}):
        claims += _full_load(table[FULL_LOAD.name])
        claims += _cost_of_load(table)
    return claims


def against_litellm(table: Table) -> Iterator[Comparison]:
    for cell, row in table.items():
        ours, theirs, alone = row["ours"], row["litellm"], row.get(ALONE)
        if KINDS[cell] not in COGS_SHARE:
            alone = None
        for what, measure in AGAINST_LITELLM.items():
            other = measure(theirs) if measure(theirs) > 0 else float("nan")
            yield Comparison(
                cell, what, measure(ours) / other, measure(alone) / other if alone else None
            )


def check_sequential(medians: sequential.Medians) -> list[Claim]:
    above = sequential.above_sdk(medians) / MILLISECOND
    return [
        Claim(
            "1024 WebP, sequential: predict time at most 2 ms above the bare SDK's",
            f"{above:+.1f} ms",
            above <= 2,
        ),
        _at_most(
            "1024 WebP, sequential: predict time over the naive predictor's",
            sequential.of_naive(medians),
            0.8,
        ),
    ]


def _ten(row: dict[str, Figures]) -> Iterator[Claim]:
    ours, naive = row["ours"], row["naive"]
    yield _at_most(
        "ten 4K PNGs: the worker's CPU over the naive predictor's",
        ours.worker_cpu / naive.worker_cpu,
        0.25,
    )
    body = row["wire"].answer_bytes
    over = [max(0.0, each.worker_growth - body) for each in (ours, naive)]
    yield Claim(
        "ten 4K PNGs: the worker's peak memory over the raw body, against the naive predictor's, "
        "at most 0.5",
        f"{_mib(over[0])} against {_mib(over[1])} (peak growth {_mib(ours.worker_growth)} against "
        f"{_mib(naive.worker_growth)}, raw body {_mib(body)})",
        over[0] <= 0.5 * over[1],
    )


def _full_load(row: dict[str, Figures]) -> Iterator[Claim]:
    ours, floor = (row[name].wall / row[ALONE].wall for name in ("ours", FLOOR))
    yield Claim(
        "256 in flight, 2 s upstream: wall time over a predictor that waits, at most 1.1",
        f"{ours:.2f}",
        ours <= 1.1,
        f"A predictor with nothing but aiohttp, no SDK, no checks, no logs comes to {floor:.2f}, "
        f"the bare SDK without a server to {row['sdk'].wall / row[ALONE].wall:.2f}",
    )
    failures = row["ours"].failures
    yield Claim(
        "256 in flight, 2 s upstream: no failure but Cog's own 409",
        f"{len(failures)} failures, {row['ours'].busy} times 409",
        not failures,
    )


def _cost_of_load(table: Table) -> Iterator[Claim]:
    for delay in ("0 s", "2 s"):
        few, many = (table[f"1024 WebP, {n} in flight, {delay}"]["ours"] for n in (8, 256))
        ratio = many.cpu_per_prediction / few.cpu_per_prediction
        yield _at_most(f"CPU per prediction at 256 over 8 in flight, {delay} upstream", ratio, 1.3)


def _at_most(text: str, ratio: float, bound: float) -> Claim:
    return Claim(f"{text}, at most {bound:g}", f"{ratio:.2f}", ratio <= bound)


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"
