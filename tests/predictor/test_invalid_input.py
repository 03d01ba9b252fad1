"""Requests that could only fail are refused before anything is spent."""

import pytest

from tests.support.cog_client import Cog
from tests.support.sandbox_client import Sandbox


@pytest.mark.quick
@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"prompt": ""}, "The prompt is empty; describe the image that you want."),
        ({"prompt": " \n\t"}, "The prompt is empty; describe the image that you want."),
        ({"prompt": "x" * 32_001}, "The prompt has 32,001 characters; shorten it to 32,000."),
        (
            {"background": "transparent", "output_format": "jpeg"},
            "A jpeg cannot be transparent; set output_format to png or webp, "
            "or background to auto or opaque.",
        ),
        (
            {"user_id": "u" * 129},
            "The user_id has 129 characters and OpenAI takes 128; "
            "send a shorter one, such as a hash of it.",
        ),
    ],
    ids=["empty prompt", "blank prompt", "long prompt", "transparent jpeg", "long user id"],
)
def test_the_caller_is_told_what_to_change(
    cog: Cog, sandbox: Sandbox, inputs: dict[str, str], sentence: str
) -> None:
    prediction = cog.predict(**inputs)

    assert prediction.status == "failed"
    assert prediction.error == f"InvalidInput: {sentence}"
    assert not sandbox.ledger


def test_the_longest_prompt_is_taken(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(prompt="x" * 32_000).status == "succeeded"
    assert len(sandbox.request.arguments["prompt"]) == 32_000


def test_the_longest_user_id_is_taken(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(user_id="u" * 128).status == "succeeded"
    assert sandbox.request.arguments["safety_identifier"] == "u" * 128


@pytest.mark.parametrize(
    "inputs",
    [
        {"aspect_ratio": "4:3"},
        {"number_of_images": 0},
        {"number_of_images": 11},
        {"number_of_images": "3"},
        {"output_compression": 101},
        {"output_compression": -1},
        {"quality": "ultra"},
        {"background": "blue"},
        {"output_format": "gif"},
        {"moderation": "high"},
        {"prompt": None},
        {"openai_api_key": None},
        {"user_id": None},
        {"input_images": None},
        {"input_images": "https://example.com/a.png"},
    ],
    ids=str,
)
def test_what_the_schema_forbids_is_answered_with_422(
    cog: Cog, sandbox: Sandbox, inputs: dict[str, object]
) -> None:
    answer = cog.post({"input": {"prompt": "A lighthouse"} | inputs})

    assert answer.status_code == 422
    (name,) = inputs
    assert answer.json()["detail"][0]["loc"] == ["body", "input", name]
    assert not sandbox.ledger


def test_a_request_without_a_prompt_is_answered_with_422(cog: Cog) -> None:
    answer = cog.post({"input": {}})
    assert answer.status_code == 422
    assert "Field required" in answer.text
