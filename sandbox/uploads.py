"""What the edits endpoint demands of the images it is given."""

import io
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageOps

from sandbox import image_errors
from sandbox.body import Body
from sandbox.errors import missing_parameter
from sandbox.image_errors import MAX_BYTES, MAX_IMAGES
from sandbox.job import Part

_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MODES: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_PNG_BIT_DEPTH: Final = 24
_STRANGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass
class Uploads:
    """The decoded images of an edit. A markup is checked, and the drawing does not heed it."""

    images: list[Image.Image] = field(default_factory=list)
    mask: Image.Image | None = None


def check_uploads(body: Body, *, decode: bool) -> Uploads:
    """Return the images of an edit; raises ``ApiError``.

    Count, then each file's size and declared type, then its content. Without ``decode`` only
    headers are read, so a file cut off in its pixels passes.
    """
    if not body.images:
        raise missing_parameter("image")
    if len(body.images) > MAX_IMAGES:
        raise image_errors.too_many_images("image", len(body.images))
    for index, part in enumerate(body.images):
        _check_envelope(f"image[{index}]", part)
    images = [_open(part, index + 1, decode) for index, part in enumerate(body.images)]
    if body.mask is not None and body.markup is not None:
        raise image_errors.markup_with_mask()
    if body.markup is not None:
        _check_markup(body.markup, images[0])
    mask = None if body.mask is None else _mask(body.mask, images[0])
    return Uploads(images, mask)


def _check_envelope(name: str, part: Part) -> None:
    if len(part.data) >= MAX_BYTES:
        raise image_errors.image_too_large(name)
    mimetype = part.content_type or "application/octet-stream"
    if mimetype not in _FORMATS:
        raise image_errors.unsupported_mimetype(name, mimetype)


def _open(part: Part, position: int, decode: bool) -> Image.Image:
    """Open one image; colour models that only print or cameras use are refused, as seen live."""
    try:
        image: Image.Image = Image.open(io.BytesIO(part.data))
    except _STRANGE as error:
        raise image_errors.invalid_image(position) from error
    if decode:
        load(image, position)
    if image.format not in _FORMATS.values() or image.mode not in _MODES:
        raise image_errors.invalid_image(position)
    if image.format == "PNG" and part.data[_PNG_BIT_DEPTH] == 16:
        raise image_errors.invalid_image(position)
    if getattr(image, "is_animated", False):
        raise image_errors.invalid_image(position)
    return image


def load(image: Image.Image, position: int) -> None:
    """Decode an image that was only opened; raises ``ApiError`` where it is cut off."""
    try:
        image.load()
    except _STRANGE as error:
        raise image_errors.invalid_image(position) from error


def _mask(mask: Part, first: Image.Image) -> Image.Image:
    """Open a mask, checked as OpenAI's guide has it: a PNG with alpha, as large as the first image.

    The documents disagree about its weight (4 MB or 50 MB), so only the larger bound is kept.
    """
    if len(mask.data) >= MAX_BYTES:
        raise image_errors.image_too_large("mask")
    if mask.content_type != "image/png":
        raise image_errors.unsupported_mimetype(
            "mask", mask.content_type or "application/octet-stream"
        )
    try:
        image = Image.open(io.BytesIO(mask.data))
    except _STRANGE as error:
        raise image_errors.mask_unreadable() from error
    if not image.has_transparency_data:
        raise image_errors.mask_without_alpha()
    if image.size != first.size:
        raise image_errors.mask_size()
    return image


def _check_markup(markup: Part, first: Image.Image) -> None:
    """Check a markup as the image reference has it: a PNG with transparent pixels, as large as
    the first image is when it is turned upright."""
    if len(markup.data) >= MAX_BYTES:
        raise image_errors.image_too_large("markup")
    if markup.content_type != "image/png":
        raise image_errors.unsupported_mimetype(
            "markup", markup.content_type or "application/octet-stream"
        )
    try:
        image = Image.open(io.BytesIO(markup.data)).convert("RGBA")
    except _STRANGE as error:
        raise image_errors.bad_markup("it could not be read") from error
    if image.size != ImageOps.exif_transpose(first).size:
        raise image_errors.bad_markup("its size does not match the first image")
    if image.getchannel("A").getextrema() == (255, 255):
        raise image_errors.bad_markup("it has no transparent pixels")
