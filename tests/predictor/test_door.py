"""What an upstream says is repeated word for word, or not at all where it holds private text."""

import base64
import re
import time

import pytest

from gpt_image.upstream.door import Door
from tests.support.waiting import fastest

KEY = "own-key-7Gq2vX9mLd4Rt8Zw"
ORGANIZATION = "acme-images-4711"
PROMPT = "The secret plans of the lighthouse keepers, drawn at night on the wall of the cellar"
LEFT_OUT = "[left out, since it repeats private text]"


@pytest.fixture
def door() -> Door:
    return Door([KEY, ORGANIZATION], PROMPT)


def in_pieces(text: str) -> str:
    return " ".join(text[start : start + 6] for start in range(0, len(text), 6))


ORDINARY = [
    "Invalid value: 'jpg'. Supported values are: 'png', 'jpeg', and 'webp'.",
    "Invalid size '1500x1500'. Width and height must both be divisible by 16.",
    "Invalid 'prompt': string too long. Expected a string with maximum length 32000, but got a "
    "string with length 32001 instead.",
    "Duplicate parameter: 'image'. You provided multiple values for this parameter, whereas only "
    "one is allowed. Use the array syntax instead e.g. 'image[]=<value>'.",
    "Your organization must be verified to use the model `gpt-image-2`. Please go to: "
    "https://platform.openai.com/settings/organization/general and click on Verify Organization.",
    "Your request was rejected by the safety system. If you believe this is an error, contact us "
    "at help.openai.com and include the request ID req_0f1e2d3c4b5a69788796a5b4c3d2e1f0. "
    "safety_violations=[sexual].",
    "Invalid file 'image[0]': unsupported mimetype ('application/octet-stream'). Supported file "
    "formats are 'image/jpeg', 'image/png', and 'image/webp'.",
    "The model 'gpt-image-2-2026-04-21' does not support quality 'xhigh'.",
    "Transparent background is not supported for this model.",
    "You didn't provide an API key. You need to provide it using Bearer auth.",
    "litellm.BadRequestError: OpenAIException - Compression less than 100 is not supported.",
    "Ungültiger Wert: 图像太大 50%.",
]


@pytest.mark.parametrize("message", ORDINARY, ids=lambda message: message[:30])
def test_an_ordinary_message_is_repeated_word_for_word(door: Door, message: str) -> None:
    assert door.message(message) == message


def test_words_that_a_prompt_shares_with_a_message_do_not_spoil_it() -> None:
    door = Door(
        [KEY], "A cat on a transparent background, no unknown parameter, invalid image file"
    )
    for message in (
        "Transparent background is not supported for this model.",
        "Unknown parameter: 'style'.",
        "Invalid image file or mode for image 1, please check your image file.",
    ):
        assert door.message(message) == message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk-abc123.XYZ is wrong", "key [key] is wrong"),
        ("Incorrect API key: sk-test****************abcd.", "Incorrect API key: [key]"),
        ("Incorrect API key: abcd************wxyz.", "Incorrect API key: [key]."),
        ("Received API Key = sk-...wxyz, hash 88dc28d0f030c55ed4ab77ed8faf0981", None),
        ("header 'Bearer abc.def'", "header '[key]'"),
        ("session sess-a1b2c3 ended", "session [key] ended"),
        ("GET https://user:pass@host/v1 failed", "GET https://host/v1 failed"),
        ("GET https://user:p@ss@host/v1 failed", "GET https://host/v1 failed"),
        ("in organization org-a1-b2-c3 on", "in organization org-... on"),
        ("Project `proj_a1-b2` lacks it", "Project `proj_...` lacks it"),
        ("signed with 8c6976e5b5410415bde908bd4dee15df.", "signed with [...]"),
        ("one\ntwo\x00\x1b[31m", "one two [31m"),
        (f"said {KEY} aloud", "said [key] aloud"),
        (f"said {PROMPT} aloud", "said [prompt] aloud"),
        (f"said '{PROMPT[:40]}...' aloud", "said '[prompt] ...' aloud"),
        (f"said {PROMPT.upper()} aloud", "said [prompt] aloud"),
        (f"said {PROMPT[30:]} aloud", "said [prompt] aloud"),
        (f"of {ORGANIZATION}", "of [key]"),
        ("x" * 400, "x" * 297 + "..."),
        ("y " * 4000, "[left out, since it is too long]"),
        ({"message": KEY}, ""),
        (None, ""),
    ],
    ids=str,
)
def test_private_texts_are_replaced(door: Door, text: object, shown: str | None) -> None:
    said = door.message(text)
    if shown is None:
        assert said == "Received API Key = [key], hash [...]"
    elif "[prompt] ..." in shown:
        assert re.fullmatch(r"said '\[prompt\]\w{0,3} ?\.\.\.' aloud", said)
    else:
        assert said == shown


@pytest.mark.parametrize(
    "text",
    [
        KEY[-10:],
        KEY[5:14],
        KEY.lower(),
        KEY.replace("-", " "),
        " ".join(KEY),
        "&#" + ";&#".join(str(ord(c)) for c in KEY) + ";",
        "%" + "%".join(f"{ord(c):02x}" for c in KEY),
        ORGANIZATION.upper(),
        in_pieces(KEY.encode().hex()),
        *(in_pieces(base64.b64encode(bytes(n) + KEY.encode()).decode()) for n in range(3)),
        in_pieces(base64.b64encode(KEY.upper().encode()).decode()),
    ],
)
def test_a_message_with_part_of_a_secret_is_left_out_as_a_whole(door: Door, text: str) -> None:
    assert door.message(f"Sorry, {text} may not do that.") == LEFT_OUT
    assert door.name(f"a{text}") == door.category(text) == door.media_type(f"x/{text}") == ""
    assert door.request_id(text) == door.request_id(f"req_{text}") == ""


def test_the_hex_of_a_key_is_no_request_id(door: Door) -> None:
    assert door.request_id(KEY.encode().hex()[:40]) == ""


def test_a_prompt_that_has_to_be_decoded_is_left_out(door: Door) -> None:
    assert door.message("".join(f"%{ord(char):02x}" for char in PROMPT)) == LEFT_OUT
    assert door.message("".join(f"\\u{ord(char):04x}" for char in PROMPT)) == LEFT_OUT


def test_what_is_encoded_again_and_again_is_left_out(door: Door) -> None:
    assert door.message("&" + "amp;" * 20 + "lt;") == LEFT_OUT


@pytest.mark.parametrize(
    "name", ["invalid_value", "image[0]", "svg.reasoning.effort", "gpt-2", "x"]
)
def test_a_name_is_repeated(door: Door, name: str) -> None:
    assert door.name(name) == name
    assert door.name(500) == "500"


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "sk-abc123",
        "org-abc",
        "a" * 65,
        "a8c6976e5b5410415bde908bd",
        "<b>",
        "ключ",
        ["image"],
        True,
        None,
        1.5,
        10**12,
    ],
    ids=str,
)
def test_what_is_no_name_is_not(door: Door, name: object) -> None:
    assert door.name(name) == ""


def test_categories_and_media_types_are_told_by_their_shape(door: Door) -> None:
    assert door.category("self-harm/intent") == "self-harm/intent"
    assert door.category("violence; DROP") == ""
    assert door.media_type("Text/HTML; charset=utf-8") == "text/html"
    assert door.media_type("no type") == ""


@pytest.mark.parametrize(
    ("id", "shown"),
    [
        ("req_0f1e2d3c4b5a69788796a5b4c3d2e1f0", True),
        ("c0ffee00-1234-4abc-8def-0123456789ab", True),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", True),
        ("20261121180814123456789AbCdEfGh", True),
        ("c2VjcmV0LXNlY3JldC1zZWNyZXQ", False),
        ("req_YzJWamNtVjBMWE5sWTNKbGRDMXpaV055WlhR", False),
        ("my own id", False),
        ("", False),
        (None, False),
    ],
)
def test_request_ids_are_told_by_their_shape(door: Door, id: str | None, shown: bool) -> None:
    assert door.request_id(id) == (id if shown else "")


@pytest.mark.parametrize("key", ["none", "EMPTY", "x", ""])
def test_a_placeholder_for_a_key_spoils_no_message(key: str) -> None:
    message = "The value is empty, none was given: x."
    assert Door([key], "A cat").message(message) == message


def test_a_short_key_is_hidden_too() -> None:
    door = Door(["gate77"], "A cat")
    assert door.message("gate77 is no key") == "[key] is no key"
    assert door.message("GATE-77 is no key") == LEFT_OUT


def test_a_short_prompt_is_hidden_as_a_whole() -> None:
    door = Door([KEY], "A red lighthouse")
    assert door.message("'a red  lighthouse' is bad") == "'[prompt]' is bad"
    assert door.message("a red house") == "a red house"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "&" * 40_000,
            "%25" * 13_000,
            "\\u0041" * 6_000,
            "a1" * 20_000,
            PROMPT * 400,
            "é" * 40_000,
        ),
        *(
            "*" * 40_000,
            "a*" * 20_000,
            "a." * 20_000,
            "sk-" * 13_000,
            "://a" * 10_000,
            "a@" * 20_000,
        ),
        *("-" * 40_000, "org-" * 10_000, "a…" * 20_000, "a%" * 20_000),
    ],
    ids=lambda text: text[:8],
)
def test_no_text_takes_long(text: str) -> None:
    """A prediction's answer is explained on the event loop, which all predictions share."""
    door = Door([KEY], PROMPT * 380)

    def explain() -> float:
        started = time.thread_time()
        for said in (text, text[:3_900]):
            door.message(said)
            door.name(said)
            door.request_id(said)
        return time.thread_time() - started

    assert fastest(explain, enough=0.5) < 0.5
