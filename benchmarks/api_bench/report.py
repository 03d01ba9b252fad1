"""From results to the text of docs/api-performance.md."""

from collections.abc import Mapping, Sequence

from benchmarks.api_bench.contenders import ALL, API, COG
from benchmarks.api_bench.memory import Memory
from benchmarks.api_bench.submits import Submits
from benchmarks.claims import Claim
from benchmarks.contenders import LITELLM, WIRE
from benchmarks.report import markdown, write_between_markers
from benchmarks.rounds import Figures, Table
from dev.servers import PROJECT

PAGE = PROJECT / "docs" / "api-performance.md"
TITLES = {contender.name: contender.title for contender in ALL}
_HEAD = ["", "", "p50", "p95", "per second", "CPU each", "peak memory", "failed"]


def write(name: str, text: str) -> None:
    """Put a text in its place on the page."""
    write_between_markers(name, text, PAGE)


def claims(checked: Sequence[Claim]) -> str:
    rows = [
        [claim.text, claim.figure, "yes" if claim.holds else f"no. {claim.reason}".strip(". ")]
        for claim in checked
    ]
    return "\n".join(markdown(["claim", "measured", "holds"], rows))


def cells(table: Table) -> str:
    """All cells, contenders as rows."""
    rows = []
    for cell, row in table.items():
        shown = [name for name in row if name != WIRE.name]
        rows += [
            [cell if number == 0 else "", TITLES[name], *_figures(row[name])]
            for number, name in enumerate(shown)
        ]
    return "\n".join(markdown(_HEAD, rows))


def submits(measured: Submits) -> str:
    rows = [
        ["idle", _ms(measured.idle_p50), _ms(measured.idle_p99)],
        ["behind 1,000 that wait", _ms(measured.queued_p50), _ms(measured.queued_p99)],
    ]
    return "\n".join(markdown(["from sending to the 201", "p50", "p99"], rows))


def edits(measured: Mapping[str, Mapping[str, float]]) -> str:
    names = [API.name, COG.name, LITELLM.name]
    rows = [[cell, *(_ms(each[name]) for name in names)] for cell, each in measured.items()]
    return "\n".join(markdown(["three 5 MB inputs", *(TITLES[name] for name in names)], rows))


def memory(measured: Memory) -> str:
    rows = [
        [title, *(f"{each[role] / 2**20:.0f} MiB" for role in ("http", "worker"))]
        for title, each in (("idle", measured.idle), ("256 in flight", measured.full))
    ]
    return "\n".join(markdown(["", "the API", "Cog and the predictor"], rows))


def _figures(figures: Figures) -> list[str]:
    return [
        _ms(figures.p50),
        _ms(figures.p95),
        f"{figures.per_second:.1f}",
        _ms(figures.cpu_per_prediction),
        f"{figures.peak / 2**20:.0f} MiB",
        str(len(figures.failures) or ""),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"
