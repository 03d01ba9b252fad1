"""The inputs and output are Replicate's, to the letter, wherever they are written down."""

import inspect
import json
import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import cog
import pytest
import yaml

import predict
from gpt_image.request import SIZES

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
CONTRACT = json.loads((PROJECT / "tests/predictor/contract/input.json").read_text())
OUTPUT = json.loads((PROJECT / "tests/predictor/contract/output.json").read_text())
OPENAPI = json.loads((PROJECT / "openapi.json").read_text())["components"]["schemas"]

# Cog's generator marks every optional input so, and describes each list of choices so.
GENERATOR_ADDS = {"nullable": True, "default": None}
GENERATOR_DESCRIBES = "An enumeration."


def generated() -> dict[str, Any]:
    """openapi.json's inputs, with the generator's own ways undone."""
    properties = {}
    for name, schema in OPENAPI["Input"]["properties"].items():
        resolved = {key: value for key, value in schema.items() if key != "allOf"}
        for reference in schema.get("allOf", []):
            choices = dict(OPENAPI[reference["$ref"].rpartition("/")[2]])
            assert choices.pop("description") == GENERATOR_DESCRIBES
            resolved = choices | resolved
        properties[name] = resolved
    whole: dict[str, Any] = OPENAPI["Input"]
    return whole | {"properties": properties}


def declared() -> dict[str, Any]:
    """The inputs as Predictor.run's signature declares them."""
    hints = get_type_hints(predict.Predictor.run)
    parameters = list(inspect.signature(predict.Predictor.run).parameters.values())[1:]
    return {
        parameter.name: {
            "x-order": order,
            "type": hints[parameter.name],
            "info": parameter.default,
        }
        for order, parameter in enumerate(parameters)
    }


def expected_type(schema: dict[str, Any]) -> Any:
    if schema.get("x-cog-secret"):
        return cog.Secret | None
    plain = {"string": str, "integer": int, "array": list[cog.Path]}[schema["type"]]
    return plain | None if schema.get("nullable") else plain


def same_type(one: Any, other: Any) -> bool:
    def parts(hint: Any) -> set[Any]:
        is_union = get_origin(hint) in {Union, types.UnionType}
        return set(get_args(hint)) if is_union else {hint}

    return parts(one) == parts(other)


def in_order(properties: dict[str, Any]) -> list[str]:
    return sorted(properties, key=lambda name: properties[name]["x-order"])


def test_openapi_has_the_contracts_inputs_in_its_order() -> None:
    assert in_order(generated()["properties"]) == in_order(CONTRACT["properties"])


@pytest.mark.parametrize("name", CONTRACT["properties"])
def test_openapi_says_of_each_input_what_the_contract_says(name: str) -> None:
    ours = generated()["properties"][name]
    theirs = CONTRACT["properties"][name]
    extra = {key: value for key, value in GENERATOR_ADDS.items() if key not in theirs}
    if theirs.get("nullable") or theirs.get("x-cog-secret"):
        ours = {key: value for key, value in ours.items() if key not in extra}
    assert ours == theirs


def test_openapi_says_of_the_whole_input_what_the_contract_says() -> None:
    def without_properties(schema: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in schema.items() if key != "properties"}

    assert without_properties(generated()) == without_properties(CONTRACT)


def test_openapi_has_the_contracts_output() -> None:
    assert OPENAPI["Output"] == OUTPUT


def test_run_declares_the_contracts_inputs_in_its_order() -> None:
    assert list(declared()) == in_order(CONTRACT["properties"])


@pytest.mark.parametrize("name", CONTRACT["properties"])
@pytest.mark.parametrize("written", ["contract", "openapi"])
def test_run_declares_each_input_as_it_is_written(name: str, written: str) -> None:
    schema = (CONTRACT if written == "contract" else generated())["properties"][name]
    ours = declared()[name]
    info = ours["info"]
    assert ours["x-order"] == schema["x-order"]
    assert same_type(ours["type"], expected_type(schema))
    assert info.description == schema["description"]
    assert info.default == schema.get("default")
    assert info.choices == schema.get("enum")
    assert (info.ge, info.le) == (schema.get("minimum"), schema.get("maximum"))
    assert (info.min_length, info.max_length, info.regex) == (None, None, None)


def test_run_returns_a_list_of_files() -> None:
    assert get_type_hints(predict.Predictor.run)["return"] == list[cog.Path]


def test_each_aspect_ratio_has_a_size_and_each_size_an_aspect_ratio() -> None:
    assert list(SIZES) == predict.ASPECT_RATIOS


def test_cog_is_pinned_alike_for_the_image_and_for_running_without_docker() -> None:
    image = yaml.safe_load((PROJECT / "cog.yaml").read_text())["build"]["sdk_version"]
    local = re.search(r"^cog==(\S+)$", (PROJECT / "requirements-dev.txt").read_text(), re.M)
    assert local and local[1] == image


@pytest.mark.parametrize("requirement", (PROJECT / "requirements.txt").read_text().splitlines())
def test_the_image_installs_exact_versions_only(requirement: str) -> None:
    assert re.match(r"^\s*(#.*)?$|^[a-z0-9-]+==[0-9.a-z]+( ;.*)?$", requirement)


def test_every_direct_requirement_is_in_the_lock() -> None:
    direct = (PROJECT / "requirements.in").read_text().splitlines()
    locked = (PROJECT / "requirements.txt").read_text().splitlines()
    assert {line for line in direct if "==" in line} <= {line.partition(" ;")[0] for line in locked}
