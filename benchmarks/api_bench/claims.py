"""What the API promises about its speed, each said as a figure and as true or not."""

from collections.abc import Iterator, Mapping

from benchmarks.api_bench.contenders import API, COG
from benchmarks.api_bench.memory import Memory
from benchmarks.api_bench.submits import QUEUED, Submits
from benchmarks.cells import LIGHT
from benchmarks.claims import Claim
from benchmarks.contenders import LITELLM
from benchmarks.rounds import Table

_KEEPS = (
    "The API keeps each prediction and its picture, LiteLLM keeps nothing; and Cog reads all root "
    "certificates anew for every file and word that it hands over, 3 to 8 ms of CPU a prediction"
)
MOST_GROWTH = 64 << 20
"""Bytes: all ten come at once, each in a few steps of 1 MB; together they are about 200 MB."""


def check(
    table: Table,
    submits: Submits,
    edits: Mapping[str, Mapping[str, float]],
    memory: Memory,
) -> list[Claim]:
    """All claims."""
    one = table[LIGHT[0].name]
    added = one[API.name].p50 - one[COG.name].p50
    return [
        _milliseconds("from sending to the 201, idle, p50", submits.idle_p50, 10),
        _milliseconds(
            f"from sending to the 201 behind {QUEUED:,} that wait, p99", submits.queued_p99, 60
        ),
        _milliseconds("added to a finished prediction, idle, p50", added, 30),
        *_against_litellm(table),
        *_edits(edits),
        Claim(
            f"ten 4K PNGs: the API's memory grows by at most {MOST_GROWTH >> 20} MiB",
            f"{memory.ten_growth / 2**20:.0f} MiB",
            memory.ten_growth <= MOST_GROWTH,
        ),
    ]


def _against_litellm(table: Table) -> Iterator[Claim]:
    for cell, row in table.items():
        ours, theirs = row[API.name], row[LITELLM.name]
        cpu = ours.cpu_per_prediction / theirs.cpu_per_prediction
        pace = ours.per_second / theirs.per_second
        yield Claim(f"{cell}: CPU over LiteLLM's, at most 1", f"{cpu:.2f}", cpu <= 1, _KEEPS)
        yield Claim(
            f"{cell}: predictions a second over LiteLLM's, at least 1",
            f"{pace:.2f}",
            pace >= 1,
            _KEEPS,
        )


def _edits(edits: Mapping[str, Mapping[str, float]]) -> Iterator[Claim]:
    for cell, seconds in edits.items():
        for name, title, most in (
            (COG.name, "bare Cog with data URIs", 1.0),
            (LITELLM.name, "LiteLLM", 1.3),
        ):
            ratio = seconds[API.name] / seconds[name]
            text = f"edit of three 5 MB uploads {cell}: time over {title}, at most {most:g}"
            yield Claim(text, f"{ratio:.2f}", ratio <= most)


def _milliseconds(text: str, seconds: float, most: float) -> Claim:
    return Claim(f"{text}, at most {most:g} ms", f"{seconds * 1000:.1f} ms", seconds * 1000 <= most)
