"""Tables in the docs that tests make from what they saw; `make docs` writes them anew."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    return "\n".join([line(head), line(("---",) * len(head)), *map(line, rows)])


def assert_documented(file: str, name: str, text: str) -> None:
    """The part of `file` between the marks of `name` is `text`; with UPDATE_DOCS it becomes so."""
    path = PROJECT / file
    begin, end = f"<!-- generated: {name} -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    document = path.read_text()
    expected = pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document)
    assert begin in document, f"{file} has no part {begin}"
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(expected)
    assert path.read_text() == expected, f"{file} is stale: run `make docs`"
