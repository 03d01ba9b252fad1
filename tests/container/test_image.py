"""What is in the image, and what is not."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.servers import PROJECT

from .commands import cog, docker
from .conftest import BUILDERS_KEY, OPERATORS_KEY, Start
from .container import Container
from .files import COMPILERS, files_of, layers_of, normal, pinned
from .image import PLAIN, SLIM, TAG, Image, removed_afterwards, size_of

pytestmark = pytest.mark.container

CALLERS_KEY = "test-key-of-the-caller"
MEGABYTES_ON_TOP_OF_THE_BASE = 200  # uv, which Cog puts there, is 57 of it, and its SDK 20
INSTALLED = re.compile(r"-packages/([\w.]+)-[^/]+\.dist-info/METADATA$")
COGS_FILES = ("cog.yaml", "cog.extended.yaml", ".cog/openapi_schema.json")
# Installed by Cog from cog.yaml, or part of the base image.
NOT_IN_REQUIREMENTS = {"cog", "coglet", "pip"}


@pytest.fixture(scope="module")
def files(image: Image) -> list[str]:
    """The name of every file in the image, without the first slash."""
    return files_of(image.name)


def test_is_small(image: Image, figure: Callable[[str], None]) -> None:
    added = (image.size - image.base_size) / 1e6
    figure(f"cog build took {image.seconds:.0f} s, with the images it starts from")
    figure(f"image: {image.size / 1e6:.0f} MB, {added:.0f} MB of it on top of {image.base}")
    assert added < MEGABYTES_ON_TOP_OF_THE_BASE


def test_cog_built_it_without_a_word_of_deprecation(image: Image) -> None:
    assert "Image built as" in image.log
    assert "deprecat" not in image.log.lower()


def test_carries_the_labels_that_replicate_reads(image: Image) -> None:
    labels = json.loads(docker("image", "inspect", image.name))[0]["Config"]["Labels"]
    committed = json.loads((PROJECT / "openapi.json").read_text())
    assert json.loads(labels["run.cog.openapi_schema"]) == committed
    assert json.loads(labels["run.cog.config"])["build"]["python_version"] == "3.12"


def test_the_extended_model_builds_from_the_same_and_weighs_the_same(image: Image) -> None:
    name = f"{TAG}-extended"
    with removed_afterwards(name):
        cog("build", SLIM, PLAIN, "--tag", name, "--file", "cog.extended.yaml")
        config = json.loads(docker("image", "inspect", name))[0]["Config"]
        assert abs(size_of(name) - image.size) < 1_000_000
    committed = json.loads((PROJECT / "openapi.extended.json").read_text())
    assert json.loads(config["Labels"]["run.cog.openapi_schema"]) == committed
    assert "COG_PREDICT_TYPE_STUB=predict_extended.py:Predictor" in config["Env"]


def test_holds_of_the_project_only_what_runs(files: list[str]) -> None:
    ours = {name for name in files if name.startswith("src/")}
    package = {f"src/{path.relative_to(PROJECT)}" for path in PROJECT.glob("gpt_image/**/*.py")}
    predictors = {"src/predict.py", "src/predict_extended.py"}
    rest = predictors | {f"src/{name}" for name in (*COGS_FILES, "LICENSE")}
    assert package | predictors <= ours
    assert ours <= package | rest


def test_holds_no_package_of_the_api(files: list[str]) -> None:
    only_the_apis = pinned("api/requirements.txt") - pinned("requirements.txt")
    names = {package.partition("==")[0] for package in only_the_apis}
    assert {"sqlalchemy", "uvicorn"} <= names
    installed = {normal(found[1]) for name in files if (found := INSTALLED.search(name))}
    assert not installed & names


def test_holds_no_compiler(files: list[str]) -> None:
    assert [name for name in files if COMPILERS.search(name)] == []


def test_every_installed_version_is_pinned(container: Container) -> None:
    """Whatever needs it: two builds a year apart must not differ."""
    installed = container.run("python", "-m", "pip", "freeze", "--all").splitlines()
    free = {normal(line) for line in installed} - pinned("requirements.txt")
    assert {line.partition("==")[0] for line in free} <= NOT_IN_REQUIREMENTS


def test_everything_that_the_code_imports_is_there(container: Container) -> None:
    """Also what is imported inside a function, which being READY does not show."""
    modules = [".".join(path.with_suffix("").parts) for path in _sources()]
    container.run("python", "-c", f"import {', '.join([*modules, *sorted(_imported())])}")


def test_no_secret_stays_behind(image: Image, container: Container, start: Start) -> None:
    """Not the builder's, not the operator's, not a caller's: no layer, inspect, history or log."""
    refused = container.predict(prompt="x", quality="low", openai_api_key=CALLERS_KEY)
    served = container.predict(prompt="x", quality="low")
    assert (refused["status"], served["status"]) == ("failed", "succeeded")
    places = {
        "log": container.log(),
        "inspect": json.dumps(container.inspect()),
        "image": docker("image", "inspect", image.name),
        "history": docker("history", "--no-trunc", image.name),
        "build": image.log,
        "answers": json.dumps([refused, served["logs"], served["metrics"]]),
    }
    secrets = [BUILDERS_KEY, OPERATORS_KEY, CALLERS_KEY]
    found = {place for place, text in places.items() for secret in secrets if secret in text}
    assert found == set()
    assert not any(secret.encode() in data for data in layers_of(image.name) for secret in secrets)


def _sources() -> list[Path]:
    """The product's modules, relative to the project."""
    found = [PROJECT / "predict.py", *PROJECT.glob("gpt_image/**/*.py")]
    return [path.relative_to(PROJECT) for path in found if path.name != "__init__.py"]


def _imported() -> set[str]:
    """Every module that the product imports, wherever that stands in the code."""
    names = set()
    for path in _sources():
        for node in ast.walk(ast.parse((PROJECT / path).read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return names
