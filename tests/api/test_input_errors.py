"""Wrong inputs are refused in the words that Replicate's validator gives."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.errors import InvalidInput
from api.input_check import InputSchema
from tests.api.replicate_caller import MODEL, ReplicateCaller

CONTRACT = Path(__file__).parent.parent / "predictor" / "contract" / "input.json"

RATIOS = (
    '"1:1", "3:2", "2:3", "16:9", "9:16", "auto", "1024x1024", "1536x1024", "1024x1536", '
    '"2048x2048", "2048x1152", "1152x2048", "3840x2160", "2160x3840"'
)

# What gojsonschema 1.2 says of these inputs: type, field and description of each error.
VECTORS: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "no prompt": ({}, [("required", "input", "prompt is required")]),
    "prompt is a number": (
        {"prompt": 1},
        [("invalid_type", "input.prompt", "Invalid type. Expected: string, given: integer")],
    ),
    "unknown ratio": (
        {"prompt": "a", "aspect_ratio": "9:9"},
        [
            (
                "enum",
                "input.aspect_ratio",
                f"input.aspect_ratio must be one of the following: {RATIOS}",
            )
        ],
    ),
    "too many images": (
        {"prompt": "a", "number_of_images": 11},
        [("number_lte", "input.number_of_images", "Must be less than or equal to 10")],
    ),
    "no images": (
        {"prompt": "a", "number_of_images": 0},
        [("number_gte", "input.number_of_images", "Must be greater than or equal to 1")],
    ),
    "one image, not a list": (
        {"prompt": "a", "input_images": "x"},
        [("invalid_type", "input.input_images", "Invalid type. Expected: array, given: string")],
    ),
    "an image that is no address": (
        {"prompt": "a", "input_images": ["not a uri"]},
        [("format", "input.input_images.0", "Does not match format 'uri'")],
    ),
    "half a percent": (
        {"prompt": "a", "output_compression": 1.5},
        [
            (
                "invalid_type",
                "input.output_compression",
                "Invalid type. Expected: integer, given: number",
            )
        ],
    ),
    "prompt is null": (
        {"prompt": None},
        [("invalid_type", "input.prompt", "Invalid type. Expected: string, given: null")],
    ),
    "two errors": (
        {"prompt": "a", "quality": "ultra", "number_of_images": "3"},
        [
            (
                "enum",
                "input.quality",
                'input.quality must be one of the following: "low", "medium", "high", "auto"',
            ),
            (
                "invalid_type",
                "input.number_of_images",
                "Invalid type. Expected: integer, given: string",
            ),
        ],
    ),
}


def problem(errors: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "title": "Input validation failed",
        "status": 422,
        "detail": "".join(f"- {field}: {description}\n" for _, field, description in errors),
        "invalid_fields": [
            {"type": type, "field": field, "description": description}
            for type, field, description in errors
        ],
    }


@pytest.mark.parametrize(("input", "errors"), VECTORS.values(), ids=VECTORS)
def test_a_wrong_input_is_refused_in_replicates_words(
    caller: ReplicateCaller, input: dict[str, Any], errors: list[tuple[str, str, str]]
) -> None:
    answer = caller.post(f"models/{MODEL}/predictions", {"input": input})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json() == problem(errors)


def test_a_body_without_input_is_refused(caller: ReplicateCaller) -> None:
    answer = caller.post(f"models/{MODEL}/predictions", {})

    assert answer.status_code == 422
    assert answer.json() == problem([("required", "(root)", "input is required")])


def test_null_is_refused_where_the_schema_does_not_allow_it() -> None:
    contract = json.loads(CONTRACT.read_text())
    del contract["properties"]["user_id"]["nullable"]
    schema = InputSchema({"components": {"schemas": {"Input": contract}}})

    with pytest.raises(InvalidInput) as refused:
        schema.checked({"prompt": "a", "user_id": None})
    (field,) = refused.value.fields
    assert (field.type, field.field) == ("invalid_type", "input.user_id")
    assert field.description == "Invalid type. Expected: string, given: null"


def test_null_is_absent_where_the_models_schema_allows_it(caller: ReplicateCaller) -> None:
    prediction = caller.created(input={"user_id": None, "input_images": None})

    assert prediction["input"] == {"prompt": "A lighthouse at dusk"}
    assert caller.ended(prediction["id"])["status"] == "succeeded"


def test_unknown_inputs_are_dropped(caller: ReplicateCaller) -> None:
    prediction = caller.created(input={"auth": "a token that a client leaks here", "tea": 1})

    assert prediction["input"] == {"prompt": "A lighthouse at dusk"}


def test_a_whole_number_may_be_written_as_a_decimal(caller: ReplicateCaller) -> None:
    prediction = caller.created(input={"number_of_images": 2.0})

    assert prediction["input"]["number_of_images"] == 2
    assert len(caller.ended(prediction["id"])["output"]) == 2


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://example.com/a.png", "/etc/passwd"]
)
def test_an_input_that_is_no_web_address_is_refused(caller: ReplicateCaller, address: str) -> None:
    answer = caller.create(body={"input": {"prompt": "a", "input_images": [address]}})

    assert answer.status_code == 422
    assert "input.input_images.0" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b"[" * 100_000, 400), (b'{"input": NaN}', 400)],
    ids=["broken", "a list", "nested deep", "not a number"],
)
def test_a_body_that_is_no_object_is_refused(
    caller: ReplicateCaller, body: bytes, status: int
) -> None:
    url = f"{caller.url}/v1/models/{MODEL}/predictions"

    assert caller.session.post(url, data=body, timeout=60).status_code == status


def test_half_a_character_in_a_prompt_does_no_harm(caller: ReplicateCaller) -> None:
    url = f"{caller.url}/v1/models/{MODEL}/predictions"
    cut = caller.session.post(url, data=b'{"input": {"prompt": "cut \\ud83d"}}', timeout=60)

    assert cut.status_code == 201
    assert caller.ended(cut.json()["id"])["input"]["prompt"] == "cut \ufffd"
