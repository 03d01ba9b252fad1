"""The API's validation, in the order that a live probe saw on 2026-08-29.

Model, unknown keys, prompt, images, n, quality, output_compression, size. Where the remaining
fields stand in that order is not known; here repeated parts of a form come first, the enumerations
follow ``quality`` and the combinations come last.
"""

from collections.abc import Mapping
from typing import Final

from sandbox import combinations, errors, sizes
from sandbox.body import Body, refuse_repeated_parts, refuse_wrong_part_names
from sandbox.fields import Fields
from sandbox.job import Endpoint, Job, Size
from sandbox.models import Model, model_of
from sandbox.references import take_references
from sandbox.uploads import Uploads, check_uploads

MAX_PROMPT: Final = 32_000
MAX_N: Final = 10
MAX_SAFETY_IDENTIFIER: Final = 128

_KEYS: Final = frozenset(
    (
        *("model", "prompt", "n", "size", "quality", "background", "output_format"),
        *("output_compression", "moderation", "stream", "partial_images", "user"),
        "safety_identifier",
    )
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "background": ("transparent", "opaque", "auto"),
    "moderation": ("low", "auto"),
    "complexity": ("low", "medium", "high"),
}
_EVERY_QUALITY: Final = ("low", "medium", "high", "xhigh", "max")
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
    uploads = check_uploads(body, decode=decode) if endpoint == "edits" else Uploads()
    n = fields.integer("n", 1, MAX_N)
    quality = _quality(fields, model)
    chosen = {name: fields.choice(name, supported) for name, supported in _CHOICES.items()}
    output_format = fields.choice("output_format", model.formats) or _DEFAULTS["output_format"]
    compression = fields.integer("output_compression", 0, 100)
    frames, frame_ms = combinations.frames(fields, output_format)
    size = sizes.checked(fields.text("size"), prompt, frames)
    partial_images = fields.integer("partial_images", 0, 3) or 0
    stream = fields.boolean("stream")
    background = chosen["background"] or _DEFAULTS["background"]
    combinations.check(
        output_format,
        background=background,
        compression=compression,
        n=n or 1,
        has_mask=uploads.mask is not None,
        streams=stream or partial_images > 0,
    )
    user = fields.text("user")
    identifier = fields.bounded_text("safety_identifier", MAX_SAFETY_IDENTIFIER)
    return Job(
        endpoint=endpoint,
        model=model.name,
        prompt=prompt,
        n=1 if n is None else n,
        size=size,
        # Resolved as in the live probe of 2026-04-28, where the answer said "low" and "opaque".
        quality="low" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        output_format=output_format,
        compression=100 if compression is None else compression,
        safety_identifier=identifier or user or None,
        inputs=tuple(uploads.images),
        input_sizes=tuple(Size(*image.size) for image in uploads.images),
        mask=uploads.mask,
        frames=frames,
        frame_ms=frame_ms,
        stream=stream,
        partial_images=partial_images if stream else 0,
    )


def _model(fields: Fields, models: tuple[str, ...]) -> Model:
    model = fields.text("model")
    if model is None:
        raise errors.missing_parameter("model")
    if model not in models:
        raise errors.unknown_model(model)
    return model_of(model)


def _refuse_unknown_keys(
    endpoint: Endpoint, body: Body, model: Model, refused: frozenset[str]
) -> None:
    known = (_KEYS | model.keys) - refused
    if body.form:
        known |= {"images"}  # has a message of its own, given among the images
    for name in body.fields:
        if name == "input_fidelity" and endpoint == "edits":
            raise errors.input_fidelity(model.name)
        if name not in known:
            raise errors.unknown_parameter(name)
    if body.markup is not None and "markup" not in model.keys:
        raise errors.unknown_parameter("markup")


def _prompt(fields: Fields) -> str:
    prompt = fields.bounded_text("prompt", MAX_PROMPT)
    if prompt is None:
        raise errors.missing_parameter("prompt")
    if not prompt:
        raise errors.empty_prompt()
    return prompt


def _quality(fields: Fields, model: Model) -> str:
    quality = fields.text("quality")
    if quality in _EVERY_QUALITY and quality not in model.quality_steps:
        raise errors.quality_unsupported(model.name, quality)
    supported = (*model.quality_steps, "auto")
    return fields.choice("quality", supported) or _DEFAULTS["quality"]
