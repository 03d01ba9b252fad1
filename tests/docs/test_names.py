"""What documents point to is there: files, modules, targets of make, headings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import PROJECT

FOLDERS = (PROJECT, PROJECT / "docs", PROJECT / "samples")
DOCUMENTS = [file for folder in FOLDERS for file in sorted(folder.glob("*.md"))]
OURS = "api|benchmarks|deploy|dev|docs|gpt_image|samples|sandbox|scripts|tests|tools"


def parts_of(document: Path) -> Iterator[tuple[str, bool]]:
    """Each thing that it names, and whether that is there."""
    text = document.read_text()
    for path in re.findall(rf"`((?:{OURS})/[\w./-]*)`", text):
        yield path, (PROJECT / path).exists()
    for module in re.findall(rf"python -m ((?:{OURS})[\w.]*\w)", text):
        path = PROJECT / module.replace(".", "/")
        yield module, path.is_dir() or path.with_suffix(".py").exists()
    for target in re.findall(r"`make ([a-z-]+)", text):
        yield f"make {target}", f"\n{target}:" in (PROJECT / "Makefile").read_text()
    for path, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        file = document.parent / path if path else document
        is_there = file.exists() and (not heading or heading in headings(file))
        yield f"{path}#{heading}", is_there


def headings(file: Path) -> set[str]:
    """As GitHub makes addresses of them."""
    titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(PROJECT)))
def test_everything_that_it_names_is_there(document: Path) -> None:
    assert [name for name, is_there in parts_of(document) if not is_there] == []
