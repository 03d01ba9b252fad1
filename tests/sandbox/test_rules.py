"""The sandbox refuses what the API refuses, with its words and in its order."""

from typing import Any

import pytest

from tests.sandbox.conftest import MODEL, Api, png, upload

IRE = "invalid_request_error"
IGU = "image_generation_user_error"

REFUSED: dict[str, tuple[dict[str, Any], str, str | None, str | None, str]] = {
    "no model": (
        {"model": ...}, IRE, "missing_required_parameter", "model",
        "Missing required parameter: 'model'.",
    ),
    "unknown model": (
        {"model": "dall-e-3"}, IGU, "invalid_value", "model",
        "The model 'dall-e-3' does not exist.",
    ),
    "response_format, even null": (
        {"response_format": None}, IRE, "unknown_parameter", "response_format",
        "Unknown parameter: 'response_format'.",
    ),
    "input_fidelity on generations": (
        {"input_fidelity": "high"}, IRE, "unknown_parameter", "input_fidelity",
        "Unknown parameter: 'input_fidelity'.",
    ),
    "style": ({"style": "vivid"}, IRE, "unknown_parameter", "style", "Unknown parameter: 'style'."),
    "images on generations": (
        {"images": []}, IRE, "unknown_parameter", "images", "Unknown parameter: 'images'."
    ),
    "no prompt": (
        {"prompt": ...}, IRE, "missing_required_parameter", "prompt",
        "Missing required parameter: 'prompt'.",
    ),
    "empty prompt": ({"prompt": ""}, IRE, "empty_string", "prompt", "Invalid 'prompt'"),
    "prompt too long": (
        {"prompt": "x" * 32_001}, IRE, "string_above_max_length", "prompt",
        "Invalid 'prompt': string too long. Expected a string with maximum length 32000, but got "
        "a string with length 32001 instead.",
    ),
    "prompt no string": ({"prompt": 7}, IRE, "invalid_type", "prompt", "Invalid type"),
    "n too large": (
        {"n": 11}, IRE, "integer_above_max_value", "n",
        "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.",
    ),
    "n too small": ({"n": 0}, IRE, "integer_below_min_value", "n", "Invalid 'n': integer below"),
    "n a float": ({"n": 1.5}, IRE, "invalid_type", "n", "Invalid type for 'n'"),
    "n a boolean": ({"n": True}, IRE, "invalid_type", "n", "Invalid type for 'n'"),
    "n as text": ({"n": "2"}, IRE, "invalid_type", "n", "Invalid type for 'n'"),
    "quality": (
        {"quality": "ultra"}, IRE, "invalid_value", "quality",
        "Invalid value: 'ultra'. Supported values are: 'low', 'medium', 'high', and 'auto'.",
    ),
    "quality of older models": ({"quality": "hd"}, IRE, "invalid_value", "quality", "Invalid"),
    "background": ({"background": "clear"}, IRE, "invalid_value", "background", "Invalid value"),
    "format jpg": (
        {"output_format": "jpg"}, IRE, "invalid_value", "output_format",
        "Invalid value: 'jpg'. Supported values are: 'png', 'webp', and 'jpeg'.",
    ),
    "moderation": (
        {"moderation": "off"}, IRE, "invalid_value", "moderation",
        "Invalid value: 'off'. Supported values are: 'low' and 'auto'.",
    ),
    "compression too large": (
        {"output_compression": 101, "output_format": "webp"},
        IRE, "integer_above_max_value", "output_compression", "Invalid 'output_compression'",
    ),
    "png compressed": (
        {"output_compression": 90}, IGU, "invalid_png_output_compression", None,
        "Compression less than 100 is not supported for PNG output format",
    ),
    "transparent jpeg": (
        {"background": "transparent", "output_format": "jpeg"}, IGU, "invalid_value", "background",
        "Transparent background is not supported for JPEG output format",
    ),
    "compression too small": (
        {"output_compression": -1, "output_format": "webp"},
        IRE, "integer_below_min_value", "output_compression", "Invalid 'output_compression'",
    ),
    "user no string": ({"user": 7}, IRE, "invalid_type", "user", "Invalid type for 'user'"),
    "size in other digits": (
        {"size": "\u0661\u0660\u0662\u0664x1024"}, IGU, "invalid_value", "size", "Invalid size"
    ),
    "size shape": (
        {"size": "bogus"}, IGU, "invalid_value", "size",
        "Invalid size 'bogus'. Expected WIDTHxHEIGHT, for example '1824x1024'.",
    ),
    "size grid": (
        {"size": "1500x1500"}, IGU, "invalid_value", "size",
        "Invalid size '1500x1500'. Width and height must both be divisible by 16.",
    ),
    "size edge": (
        {"size": "3856x1600"}, IGU, "invalid_value", "size",
        "Invalid size '3856x1600'. The longest edge must be less than or equal to 3840.",
    ),
    "size ratio": ({"size": "3200x1056"}, IGU, "invalid_value", "size", "Invalid size '3200x1056'"),
    "size too small": (
        {"size": "800x800"}, IGU, "invalid_value", "size",
        "Invalid size '800x800'. Requested resolution is below the current minimum pixel budget.",
    ),
    "size too large": (
        {"size": "3008x3008"}, IGU, "invalid_value", "size",
        "Invalid size '3008x3008'. Requested resolution exceeds the current pixel budget.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_broken_rule_is_refused_in_the_apis_words(
    api: Api, case: tuple[dict[str, Any], str, str | None, str | None, str]
) -> None:
    fields, kind, code, param, message = case
    answer = api.generate(**fields)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"], error["param"]) == (kind, code, param)
    assert error["message"].startswith(message)
    assert not api.ledger()[0]["billed"]


def test_rules_are_checked_in_the_order_seen_live(api: Api) -> None:
    broken: dict[str, object] = {
        "model": "dall-e-3",
        "style": "vivid",
        "prompt": "",
        "n": 11,
        "quality": "ultra",
        "output_compression": 101,
        "size": "bogus",
    }
    mended: dict[str, object] = {
        "model": "gpt-image-2",
        "style": ...,
        "prompt": "A fox",
        "n": 1,
        "quality": "low",
        "output_compression": 100,
        "size": "1024x1024",
    }
    for name in list(broken):
        assert api.generate(**broken).json()["error"]["param"] == name
        broken[name] = mended[name]
    assert api.generate(**broken).status_code == 200


def test_images_are_checked_after_the_prompt_and_before_n(api: Api) -> None:
    bad = upload(b"no image", "application/octet-stream")
    assert api.edit([bad], prompt="", n="11").json()["error"]["param"] == "prompt"
    assert api.edit([bad], n="11").json()["error"]["param"] == "image"
    assert api.edit([upload(png())], n="11").json()["error"]["param"] == "n"


def test_the_references_of_a_json_edit_have_the_same_place(api: Api) -> None:
    def param(**fields: object) -> str | None:
        body = {"prompt": "x", "images": [{"image_url": 7}], "n": 11, **fields}
        answer = api.http.post(f"{api.url}/images/edits", json=body, timeout=5)
        error: dict[str, str | None] = answer.json()["error"]
        return error["param"]

    assert param() == "model"
    assert param(model=MODEL, style="vivid") == "style"
    assert param(model=MODEL) == "images[0].image_url"
    assert param(model=MODEL, images=None) == "images"


@pytest.mark.parametrize("size", ["816x816", "1280x720", "1536x864"])
def test_sizes_that_the_live_probes_had_accepted_are_accepted(api: Api, size: str) -> None:
    assert api.generate(size=size).json()["size"] == size


def test_null_counts_as_omitted(api: Api) -> None:
    optional = ("n", "size", "quality", "background", "output_format", "output_compression")
    answer = api.generate(**dict.fromkeys((*optional, "stream", "partial_images")))
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == 1


def test_a_prompt_of_white_space_and_one_of_the_full_length_are_accepted(api: Api) -> None:
    assert api.generate(prompt="  ").status_code == 200
    assert api.generate(prompt="word " * 6400).status_code == 200


def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    for body in (b"{", b"[]", b"\xff", b"[" * 200_000):
        answer = api.http.post(
            f"{api.url}/images/generations",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=5,
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == IRE
