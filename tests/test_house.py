"""The order of the house: what may import what, how long a module may be, where the way is written.

ARCHITECTURE.md is held against the code, so that it can be believed.
"""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from dev.servers import PROJECT

PARTS = ("predict", "predict_extended", "gpt_image", "api", "sandbox", "dev", "benchmarks")
MOST_LINES = 250
# Each part by itself: the image holds the predictor alone, and nothing falls back to the sandbox.
APART = {
    "predict": {"api", "sandbox", "dev", "benchmarks", "tests"},
    "predict_extended": {"api", "sandbox", "dev", "benchmarks", "tests"},
    "gpt_image": {"predict", "predict_extended", "api", "sandbox", "dev", "benchmarks", "tests"},
    "api": {"predict", "predict_extended", "gpt_image", "sandbox", "dev", "benchmarks", "tests"},
    "sandbox": {"predict", "predict_extended", "gpt_image", "api", "dev", "benchmarks", "tests"},
}


def modules() -> dict[str, Path]:
    """Each module of ours, but for the tests, by its dotted name."""
    files = [
        *PROJECT.glob("*.py"),
        *(file for part in PARTS for file in PROJECT.glob(f"{part}/**/*.py")),
    ]
    return {
        ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


MODULES = modules()


def imports_of(module: str) -> set[str]:
    """The modules of ours that `module` imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_short_enough_to_read_at_once(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= MOST_LINES


def test_no_module_imports_itself_by_a_detour() -> None:
    try:
        TopologicalSorter(
            {module: imports_of(module) & MODULES.keys() for module in MODULES}
        ).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@pytest.mark.parametrize("part", [part for part in APART if part in MODULES])
def test_the_parts_know_nothing_of_each_other(part: str) -> None:
    inside = [name for name in MODULES if name.partition(".")[0] == part]
    imported = {(name, each) for name in inside for each in imports_of(name)}
    assert not {(a, b) for a, b in imported if b.partition(".")[0] in APART[part]}


@pytest.mark.parametrize(
    "folder",
    sorted({file.parent for file in MODULES.values() if file.parent != PROJECT}),
    ids=lambda folder: str(folder.relative_to(PROJECT)),
)
def test_each_folder_says_what_it_is_for(folder: Path) -> None:
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))


# --- ARCHITECTURE.md

PAGE = PROJECT / "ARCHITECTURE.md"
STEP = re.compile(
    r"^\d+\. .*?`(?P<file>[\w./]+\.py)`.* from `(?P<caller>[\w./]+\.py)`", re.MULTILINE
)


def dotted(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def test_each_step_of_the_way_is_imported_where_the_page_says() -> None:
    steps = STEP.findall(PAGE.read_text())
    assert len(steps) >= 10
    assert not [
        f"{caller} does not import {file}"
        for file, caller in steps
        if dotted(file) not in imports_of(dotted(caller))
    ]


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("gpt_image")])
def test_the_page_names_every_module_of_the_predictor(module: str) -> None:
    file = MODULES[module]
    if file.name != "__init__.py":
        assert f"`{file.relative_to(PROJECT)}`" in PAGE.read_text()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("api")])
def test_the_tables_say_for_which_change_to_open_a_module_of_the_api(module: str) -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    file = MODULES[module]
    if file.name != "__init__.py":
        assert f"`{file.relative_to(PROJECT)}`" in "\n".join(rows)


def test_the_page_names_no_file_that_is_not_there() -> None:
    named = re.findall(r"`([\w./]+\.\w+)`", PAGE.read_text())
    assert not [name for name in named if "/" in name and not (PROJECT / name).exists()]
