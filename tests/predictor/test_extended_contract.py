"""The extended contract is the exact one and what it lacks, wherever it is written down."""

import inspect
import json
from typing import Any, get_type_hints

import cog
import pytest
import yaml

import predict
import predict_extended
from dev.servers import PROJECT
from gpt_image.models.table import MODELS, OFFERED

pytestmark = pytest.mark.quick

ADDED = ["model", "size", "mask", "markup", "complexity"]
WIDER = {"quality": {"xhigh", "max"}, "output_format": {"gif", "svg"}}


def schemas(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PROJECT / name).read_text())["components"]["schemas"]
    return found


EXACT, EXTENDED = schemas("openapi.json"), schemas("openapi.extended.json")


def properties(of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = of["Input"]["properties"]
    return found


def parameters(of: type[predict.Predictor]) -> dict[str, Any]:
    return dict(list(inspect.signature(of.run).parameters.items())[1:])


def test_the_inputs_are_the_exact_ones_and_after_them_those_that_are_added() -> None:
    in_order = sorted(properties(EXTENDED), key=lambda name: properties(EXTENDED)[name]["x-order"])
    assert in_order == list(parameters(predict_extended.Predictor))
    assert in_order == [*parameters(predict.Predictor), *ADDED]


@pytest.mark.parametrize("name", [name for name in properties(EXACT) if name not in WIDER])
def test_what_both_have_is_the_same(name: str) -> None:
    assert properties(EXTENDED)[name] == properties(EXACT)[name]
    assert EXTENDED.get(name) == EXACT.get(name)


@pytest.mark.parametrize("name", WIDER)
def test_wider_choices_hold_the_exact_ones_and_the_same_default(name: str) -> None:
    assert set(EXTENDED[name]["enum"]) == set(EXACT[name]["enum"]) | WIDER[name]
    assert properties(EXTENDED)[name]["default"] == properties(EXACT)[name]["default"]


@pytest.mark.parametrize("name", ADDED)
def test_no_added_input_has_to_be_given(name: str) -> None:
    assert properties(EXTENDED)[name]["default"] is None
    assert name not in EXTENDED["Input"]["required"]


def test_the_models_on_offer_are_those_of_the_table() -> None:
    assert EXTENDED["model"]["enum"] == list(OFFERED)
    assert set(OFFERED) <= set(MODELS)


def test_the_choices_are_what_some_model_on_offer_can_do() -> None:
    qualities = {quality for model in OFFERED.values() for quality in model.qualities}
    formats = {each for model in OFFERED.values() for each in model.formats}
    assert set(EXTENDED["quality"]["enum"]) == qualities | {"auto"}
    assert set(EXTENDED["output_format"]["enum"]) == formats


def test_mask_and_markup_are_files() -> None:
    hints = get_type_hints(predict_extended.Predictor.run)
    for name in ("mask", "markup"):
        assert hints[name] == cog.Path | None
        assert properties(EXTENDED)[name]["format"] == "uri"


def test_both_are_built_alike() -> None:
    exact, extended = (
        yaml.safe_load((PROJECT / name).read_text()) for name in ("cog.yaml", "cog.extended.yaml")
    )
    assert extended["build"] == exact["build"]
    assert extended["run"] == "predict_extended.py:Predictor"


def test_each_row_of_the_table_says_where_it_comes_from() -> None:
    for model in MODELS.values():
        assert model.source
        assert model.qualities == tuple(
            each for each in ("low", "medium", "high", "xhigh", "max") if each in model.qualities
        )
