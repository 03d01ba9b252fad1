"""Predictor, API and sandbox are held apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import PROJECT

PARTS = {
    "api": ("gpt_image", "predict", "sandbox", "dev", "tests"),
    "gpt_image": ("api", "sandbox", "dev", "tests", "predict"),
    "sandbox": ("api", "gpt_image", "predict", "dev", "tests"),
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize(("part", "others"), PARTS.items(), ids=PARTS)
def test_none_of_the_three_imports_another(part: str, others: tuple[str, ...]) -> None:
    files = list((PROJECT / part).rglob("*.py"))
    assert files
    strange = {
        f"{file.relative_to(PROJECT)} imports {name}"
        for file in files
        for name in imported(file)
        if name.partition(".")[0] in others
    }
    assert not strange


def test_the_heart_knows_nothing_of_dialects() -> None:
    strange = {
        str(file)
        for file in (PROJECT / "api" / "predictions").rglob("*.py")
        for name in imported(file)
        if name.startswith("api.dialects")
    }
    assert not strange
