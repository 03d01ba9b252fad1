"""The API's validation, in the order that a live probe saw on 2026-08-29.

Model, unknown keys, prompt, images, n, quality, output_compression, size. Where the remaining
fields stand in that order is not known; here repeated parts of a form come first, the enumerations
follow ``quality`` and the combinations come last.
"""

import re
from collections.abc import Mapping
from typing import Final

from sandbox import errors
from sandbox.body import Body, refuse_repeated_parts, refuse_wrong_part_names
from sandbox.fields import Fields
from sandbox.job import Endpoint, Job, Size
from sandbox.references import take_references
from sandbox.uploads import check_uploads

MAX_PROMPT: Final = 32_000
MAX_N: Final = 10
MAX_SAFETY_IDENTIFIER: Final = 128
_SIZE: Final = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_MIN_PIXELS: Final = 655_360
_MAX_PIXELS: Final = 8_294_400
_MAX_EDGE: Final = 3840

_KEYS: Final = frozenset(
    (
        *("model", "prompt", "n", "size", "quality", "background", "output_format"),
        *("output_compression", "moderation", "stream", "partial_images", "user"),
        "safety_identifier",
    )
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "quality": ("low", "medium", "high", "auto"),
    "background": ("transparent", "opaque", "auto"),
    "output_format": ("png", "webp", "jpeg"),
    "moderation": ("low", "auto"),
}
_QUALITIES_OF_OTHER_MODELS: Final = ("xhigh", "max")
_DEFAULTS: Final = {"quality": "auto", "background": "auto", "output_format": "png"}


def check(
    endpoint: Endpoint,
    body: Body,
    *,
    models: tuple[str, ...],
    refused: frozenset[str] = frozenset(),
    decode: bool = True,
) -> Job:
    """Return the job that a request describes; raises ``ApiError`` for the first broken rule.

    ``refused`` names keys that a gateway does not know. Without ``decode`` uploads are only
    looked at, not decoded.
    """
    fields = Fields(body)
    refuse_repeated_parts(body)
    model = _model(fields, models)
    _refuse_unknown_keys(endpoint, body, model, refused)
    prompt = _prompt(fields)
    refuse_wrong_part_names(body)
    take_references(body)
    images = check_uploads(body, decode=decode) if endpoint == "edits" else []
    n = fields.integer("n", 1, MAX_N)
    _refuse_quality_of_other_models(fields, model)
    chosen = {name: fields.choice(name, supported) for name, supported in _CHOICES.items()}
    compression = fields.integer("output_compression", 0, 100)
    size = _size(fields, prompt)
    _check_combinations(chosen, compression)
    _refuse_streaming(fields)
    user = fields.text("user")
    identifier = fields.bounded_text("safety_identifier", MAX_SAFETY_IDENTIFIER)
    background = chosen["background"] or _DEFAULTS["background"]
    quality = chosen["quality"] or _DEFAULTS["quality"]
    return Job(
        endpoint=endpoint,
        prompt=prompt,
        n=1 if n is None else n,
        size=size,
        # Resolved as in the live probe of 2026-04-28, where the answer said "low" and "opaque".
        quality="low" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        output_format=chosen["output_format"] or _DEFAULTS["output_format"],
        compression=100 if compression is None else compression,
        safety_identifier=identifier or user or None,
        inputs=tuple(images),
        input_sizes=tuple(Size(*image.size) for image in images),
    )


def _model(fields: Fields, models: tuple[str, ...]) -> str:
    model = fields.text("model")
    if model is None:
        raise errors.missing_parameter("model")
    if model not in models:
        raise errors.unknown_model(model)
    return model


def _refuse_unknown_keys(
    endpoint: Endpoint, body: Body, model: str, refused: frozenset[str]
) -> None:
    known = _KEYS - refused
    if body.form:
        known |= {"images"}  # has a message of its own, given among the images
    for name in body.fields:
        if name == "input_fidelity" and endpoint == "edits":
            raise errors.input_fidelity(model)
        if name not in known:
            raise errors.unknown_parameter(name)


def _prompt(fields: Fields) -> str:
    prompt = fields.bounded_text("prompt", MAX_PROMPT)
    if prompt is None:
        raise errors.missing_parameter("prompt")
    if not prompt:
        raise errors.empty_prompt()
    return prompt


def _refuse_quality_of_other_models(fields: Fields, model: str) -> None:
    quality = fields.text("quality")
    if quality in _QUALITIES_OF_OTHER_MODELS:
        raise errors.quality_unsupported(model, quality)


def _size(fields: Fields, prompt: str) -> Size:
    text = fields.text("size")
    if text is None or text == "auto":
        return _auto_size(prompt)
    match = _SIZE.fullmatch(text)
    if match is None:
        raise errors.bad_size(text, "Expected WIDTHxHEIGHT, for example '1824x1024'.")
    size = Size(int(match[1]), int(match[2]))
    reason = broken_size_rule(size)
    if reason is not None:
        raise errors.bad_size(text, reason)
    return size


def broken_size_rule(size: Size) -> str | None:
    """Return the sentence for the first rule of OpenAI's image guide that a size breaks.

    The sentence about 3:1 is ours: nobody published the real one.
    """
    short, long = sorted(size)
    if size.width % 16 or size.height % 16:
        return "Width and height must both be divisible by 16."
    if long > _MAX_EDGE:
        return f"The longest edge must be less than or equal to {_MAX_EDGE}."
    if long > 3 * short:
        return "The ratio of the longest to the shortest edge must not exceed 3:1."
    if short * long < _MIN_PIXELS:
        return "Requested resolution is below the current minimum pixel budget."
    if short * long > _MAX_PIXELS:
        return "Requested resolution exceeds the current pixel budget."
    return None


def _auto_size(prompt: str) -> Size:
    """Pick a size as the model would: by the prompt, else the odd 1254x1254 seen live."""
    words = prompt.lower()
    if "portrait" in words:
        return Size(1024, 1536)
    if "landscape" in words:
        return Size(1536, 1024)
    return Size(1254, 1254)


def _check_combinations(chosen: dict[str, str | None], compression: int | None) -> None:
    output_format = chosen["output_format"] or _DEFAULTS["output_format"]
    if output_format == "png" and compression is not None and compression < 100:
        raise errors.png_compression()
    if output_format == "jpeg" and chosen["background"] == "transparent":
        raise errors.transparent_jpeg()


def _refuse_streaming(fields: Fields) -> None:
    fields.integer("partial_images", 0, 3)
    if fields.boolean("stream"):
        raise errors.ApiError(400, "The sandbox does not stream.", param="stream")
