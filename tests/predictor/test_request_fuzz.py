"""Whatever the contract lets through becomes a request that the API takes, or one sentence."""

import re
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from gpt_image.errors import InvalidInput
from gpt_image.request import PROMPT_LIMIT, SIZES, ImageRequest
from predict import ASPECT_RATIOS

# What JSON can carry: Cog refuses lone surrogates with a 400.
texts = st.text(st.characters(exclude_categories=["Cs"]))
entries = st.one_of(texts, st.none(), st.integers(), st.binary(), st.dictionaries(texts, texts))


def count(lowest: int, highest: int) -> st.SearchStrategy[float]:
    """A number within the contract's bounds; Cog lets a float through to an int input."""
    return st.one_of(st.integers(lowest, highest), st.floats(lowest, highest))


inputs = st.fixed_dictionaries(
    {
        "prompt": st.one_of(texts, texts.map(lambda text: text * 500), st.just("A lighthouse")),
        "aspect_ratio": st.one_of(st.sampled_from(ASPECT_RATIOS), texts),
        "input_images": st.one_of(st.none(), st.lists(entries, max_size=20)),
        "number_of_images": count(1, 10),
        "quality": st.sampled_from(["low", "medium", "high", "auto"]),
        "background": st.sampled_from(["auto", "transparent", "opaque"]),
        "output_compression": count(0, 100),
        "output_format": st.sampled_from(["png", "jpeg", "webp"]),
        "moderation": st.sampled_from(["auto", "low"]),
        "user_id": st.one_of(st.none(), texts),
    }
)
LIGHTHOUSE = {
    "prompt": "A lighthouse",
    "aspect_ratio": "1:1",
    "input_images": None,
    "number_of_images": 1,
    "quality": "auto",
    "background": "auto",
    "output_compression": 90,
    "output_format": "webp",
    "moderation": "auto",
    "user_id": None,
}


@given(inputs)
@example(LIGHTHOUSE | {"number_of_images": 2.5})
@example(LIGHTHOUSE | {"output_compression": sys.float_info.min})
@example(LIGHTHOUSE | {"prompt": "\0" * (PROMPT_LIMIT + 1)})
@example(LIGHTHOUSE | {"background": "transparent", "output_format": "jpeg"})
def test_inputs_become_a_request_that_the_api_takes_or_one_sentence(
    given_inputs: dict[str, object],
) -> None:
    try:
        request = ImageRequest.from_inputs(**given_inputs)  # type: ignore[arg-type]
    except InvalidInput as refusal:
        assert re.fullmatch(r"[\w ,.;:()'-]+\.", str(refusal))
        return
    body = request.body("gpt-image-2")

    assert 0 < len(body["prompt"]) <= PROMPT_LIMIT
    assert body["size"] in SIZES.values()
    assert type(body["n"]) is int
    assert 1 <= body["n"] <= 10
    assert (body["background"], body["output_format"]) != ("transparent", "jpeg")
    assert ("output_compression" in body) == (body["output_format"] != "png")
    assert type(body.get("output_compression", 0)) is int
    assert None not in body.values()
    assert not {"input_fidelity", "response_format", "user", "style"} & set(body)
    assert request.is_edit == bool(given_inputs["input_images"])
    assert ("moderation" in body) == (not request.is_edit or given_inputs["moderation"] == "low")
