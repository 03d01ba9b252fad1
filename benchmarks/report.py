"""From results to the text of docs/performance.md, of its page of cells, and of the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.claims import COGS_SHARE, KINDS, Claim, Comparison
from benchmarks.contenders import ALL
from benchmarks.rounds import ALONE, FLOOR, Figures, Table
from dev.servers import PROJECT

PAGE = PROJECT / "docs" / "performance.md"
CELLS_PAGE = PROJECT / "docs" / "performance-cells.md"
TITLES = {contender.name: contender.title for contender in ALL} | {
    ALONE: "Cog that only waits",
    FLOOR: "Cog and aiohttp, the least",
}
HEAD = [
    "",
    "added p50",
    "added p95",
    "per second",
    "CPU each",
    "peak memory",
    "worker grew by",
    "409s",
    "failed",
]


def tables(table: Table) -> str:
    """One Markdown table for each cell, contenders as rows."""
    parts = []
    for cell, row in table.items():
        upstream = row["wire"]
        parts += [f"### {cell}", ""]
        parts.append(
            f"The upstream itself: p50 {_ms(upstream.p50)}, {upstream.per_second:.1f} a second, "
            f"{_mb(upstream.answer_bytes)} an answer."
        )
        parts += ["", *markdown(HEAD, [_row(name, each) for name, each in _contenders(row)]), ""]
    return "\n".join(parts)


def _contenders(row: Mapping[str, Figures]) -> list[tuple[str, Figures]]:
    return [(name, figures) for name, figures in row.items() if name != "wire"]


def _row(name: str, figures: Figures) -> list[str]:
    return [
        TITLES[name],
        _ms(figures.added_p50),
        _ms(figures.added_p95),
        f"{figures.per_second:.1f}",
        _ms(figures.cpu_per_prediction),
        _mb(figures.peak),
        _mb(figures.worker_growth) if figures.worker_cpu else "",
        str(figures.busy or ""),
        str(len(figures.failures) or ""),
    ]


def claims(checked: Sequence[Claim]) -> str:
    rows = [
        [claim.text, claim.figure, "yes" if claim.holds else f"no. {claim.reason}".strip(". ")]
        for claim in checked
    ]
    return "\n".join(markdown(["claim", "measured", "holds"], rows))


def against_litellm(comparisons: Sequence[Comparison]) -> str:
    """Cells as rows, measures as columns; below it why some are above 1."""
    measures = list(dict.fromkeys(each.what for each in comparisons))
    rows: dict[str, list[str]] = {}
    for each in comparisons:
        rows.setdefault(each.cell, [each.cell]).append(_multiple(each))
    lines = markdown(["of LiteLLM's, at most 1", *measures], list(rows.values()))
    above = {KINDS[each.cell] for each in comparisons if each.ratio > 1 and each.alone}
    reasons = [f"- {reason}." for kind, reason in COGS_SHARE.items() if kind in above]
    if reasons:
        lines += ["", "In bold what is above it; in brackets Cog alone, without a predictor:", ""]
    return "\n".join([*lines, *reasons])


def _multiple(comparison: Comparison) -> str:
    if comparison.ratio <= 1:
        return f"{comparison.ratio:.2f}"
    alone = f" ({comparison.alone:.2f})" if comparison.alone else ""
    return f"**{comparison.ratio:.2f}**{alone}"


def bottleneck(table: Table) -> str:
    """How busy the sandbox and the load client were, at most, while this predictor was measured."""
    client = max(row["ours"].client_cpu_share for row in table.values())
    sandbox = max(row["ours"].sandbox_cpu_share for row in table.values())
    return (
        f"While this predictor was measured, the sandbox used at most {sandbox:.0%} of one core "
        f"and the load client {client:.0%}."
    )


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def write_between_markers(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between `<!-- generated: name -->` and `<!-- end: name -->`."""
    before, begin, rest = page.read_text().partition(f"<!-- generated: {name} -->\n")
    _, end, after = rest.partition(f"<!-- end: {name} -->")
    if not (begin and end):
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(f"{before}{begin}{text.strip()}\n{end}{after}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if abs(seconds) < 0.1 else f"{seconds * 1000:,.0f} ms"


def _mb(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB" if size < 10 * 2**20 else f"{size / 2**20:,.0f} MiB"
