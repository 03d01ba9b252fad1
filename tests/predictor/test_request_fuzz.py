"""Whatever the contract lets through becomes a request that the API takes, or one sentence."""

import re
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from gpt_image.errors import InvalidInput
from gpt_image.inputs import Inputs
from gpt_image.models.check import check
from gpt_image.models.sizes import Size
from gpt_image.models.table import MODELS
from gpt_image.request import PROMPT_LIMIT, ImageRequest
from predict import ASPECT_RATIOS

# What JSON can carry: Cog refuses lone surrogates with a 400.
texts = st.text(st.characters(exclude_categories=["Cs"]))
entries = st.one_of(texts, st.none(), st.integers(), st.binary(), st.dictionaries(texts, texts))


def count(lowest: int, highest: int) -> st.SearchStrategy[float]:
    """A number within the contract's bounds; Cog lets a float through to an int input."""
    return st.one_of(st.integers(lowest, highest), st.floats(lowest, highest))


REQUIRED: dict[str, st.SearchStrategy[object]] = {
    "prompt": st.one_of(texts, texts.map(lambda text: text * 500), st.just("A lighthouse")),
    "aspect_ratio": st.one_of(st.sampled_from(ASPECT_RATIOS), texts),
    "input_images": st.one_of(st.none(), st.lists(entries, max_size=20)),
    "number_of_images": count(1, 10),
    "quality": st.sampled_from(["low", "medium", "high", "xhigh", "max", "auto"]),
    "background": st.sampled_from(["auto", "transparent", "opaque"]),
    "output_compression": count(0, 100),
    "output_format": st.sampled_from(["png", "jpeg", "webp", "gif", "svg"]),
    "moderation": st.sampled_from(["auto", "low"]),
    "user_id": st.one_of(st.none(), texts),
}
OPTIONAL: dict[str, st.SearchStrategy[object]] = {
    "model": st.sampled_from(list(MODELS)),
    "size": st.one_of(texts, st.from_regex(r"[0-9]{1,5}x[0-9]{1,5}", fullmatch=True)),
    "mask": entries,
    "markup": entries,
    "complexity": st.sampled_from(["low", "medium", "high"]),
}
every_input = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL)
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


@given(every_input)
@example(LIGHTHOUSE | {"number_of_images": 2.5})
@example(LIGHTHOUSE | {"size": "1920x1080"})
@example(LIGHTHOUSE | {"size": "0x0"})
@example(LIGHTHOUSE | {"size": "1x99999"})
@example(LIGHTHOUSE | {"output_compression": sys.float_info.min})
@example(LIGHTHOUSE | {"prompt": "\0" * (PROMPT_LIMIT + 1)})
@example(LIGHTHOUSE | {"background": "transparent", "output_format": "jpeg"})
def test_inputs_become_a_request_that_the_api_takes_or_one_sentence(
    given_inputs: dict[str, object],
) -> None:
    try:
        inputs = Inputs(**given_inputs)  # type: ignore[arg-type]
        request = ImageRequest.from_inputs(inputs, operators_model="gpt-image-2")
        check(request)
    except InvalidInput as refusal:
        assert re.fullmatch(r"[\w ,.;:()'-]+\.", str(refusal))
        return
    body = request.body()

    assert 0 < len(body["prompt"]) <= PROMPT_LIMIT
    row = MODELS[body["model"]]
    size = Size.parse(body["size"])
    assert size is None or row.sizes_of(body["output_format"]).broken_by(size) is None
    assert body["size"] == "auto" if size is None else str(size)
    assert body["quality"] in {"auto", *row.qualities}
    assert body["output_format"] in row.formats
    assert "complexity" not in body or "complexity" in row.parameters
    assert type(body["n"]) is int
    assert 1 <= body["n"] <= 10
    assert (body["background"], body["output_format"]) != ("transparent", "jpeg")
    assert ("output_compression" in body) == (body["output_format"] in {"jpeg", "webp"})
    assert type(body.get("output_compression", 0)) is int
    assert None not in body.values()
    assert not {"input_fidelity", "response_format", "user", "style"} & set(body)
    assert request.is_edit == bool(given_inputs["input_images"])
    assert ("moderation" in body) == (not request.is_edit or given_inputs["moderation"] == "low")
