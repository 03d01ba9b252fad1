"""An image of any kind to one that the API takes; runs in the process of conversions."""

import contextlib
import io
from pathlib import Path
from typing import cast

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from gpt_image.conversion.decode import blaming_the_image, decoded
from gpt_image.conversion.reports import Damaged, Prepared
from gpt_image.image_limits import MAX_UPLOAD_BYTES

LOSSY_QUALITY = 95
"""For JPEG and WebP, where PNG would reach MAX_UPLOAD_BYTES."""

# Everything else that Pillow reads stays off: EPS for one would start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF", "BMP", "JPEG2000", "ICO")
_LONGEST_EDGE = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_OPTIONS = {
    # Level 6 takes 2.6 times as long for a photo and saves 12% (48 megapixels, zlib-ng 2.3).
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": LOSSY_QUALITY},
    # Method 4, the default, takes 5 times as long and saves 1% (120 megapixels).
    "WEBP": {"quality": LOSSY_QUALITY, "method": 2},
}
_SMALLER = 0.7

_JPEG_END = b"\xff\xd9"
_NOISE = bytes(range(1, 0xFF)) * 4  # never the first byte of a marker


class _TooLarge(Exception):
    pass


class _Capped(io.BytesIO):
    """Stops the encoder as soon as its output is too large, not when it is done."""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # all that Pillow writes
        if self.tell() + len(data) >= MAX_UPLOAD_BYTES:
            raise _TooLarge
        return super().write(data)


def prepare(source: Path, target: Path) -> Prepared:
    """Decode the first picture, and save it upright, in sRGB, as plain RGB or RGBA.

    `target` is a path without suffix.
    """
    pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False)
    with decoded(source, FORMATS) as opened, blaming_the_image():
        image = _plain(opened)
    return _save(image, target)


def check_end(source: Path, target: Path) -> Prepared:
    """Decide whether a JPEG without its end mark in sight is whole.

    It is sent as it is when it decodes, because other data follows the picture. Otherwise the mark
    may be all that is missing, and then what comes after the last byte does not show in the
    picture: such a file is sent with the mark added.
    """
    data = source.read_bytes()
    if _decodes(data):
        return Prepared(str(source), "image/jpeg")
    mended = data + _JPEG_END
    with blaming_the_image():
        if _decode(mended) != _decode(data + _NOISE + _JPEG_END):
            raise Damaged
    path = target.with_suffix(".jpg")
    path.write_bytes(mended)
    return Prepared(str(path), "image/jpeg", note="lacked the JPEG end mark, which was added")


def _decodes(data: bytes) -> bool:
    try:
        with blaming_the_image():
            _decode(data)
    except Damaged:
        return False
    return True


def _decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    image.load()
    return image


def _plain(image: Image.Image) -> Image.Image:
    # Broken EXIF does not spoil a picture that decodes.
    with contextlib.suppress(Damaged), blaming_the_image():
        ImageOps.exif_transpose(image, in_place=True)
    plain = _in_srgb(with_eight_bits(image))
    plain.info.clear()
    return plain


def with_eight_bits(image: Image.Image) -> Image.Image:
    """Bring one channel of 16 or 32 bits to 8, where Pillow would clip it at 255."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):  # no scale is known, so the full range is shown
        low, high = cast(tuple[float, float], image.getextrema())
        scale = 255 / ((high - low) or 1)
        return image.point(lambda value: value * scale + -low * scale).convert("L")
    return image


def _in_srgb(image: Image.Image) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    profile = image.info.get("icc_profile")
    if profile:
        source = image if image.mode in ("L", "CMYK") and mode == "RGB" else image.convert(mode)
        srgb = ImageCms.createProfile("sRGB")
        with contextlib.suppress(ImageCms.PyCMSError):  # a broken or mismatched profile
            converted = ImageCms.profileToProfile(
                source, io.BytesIO(profile), srgb, outputMode=mode
            )
            if converted is not None:
                return converted
    return image if image.mode == mode else image.convert(mode)


def _save(image: Image.Image, target: Path) -> Prepared:
    """Lossless if that stays under MAX_UPLOAD_BYTES, else lossy, else smaller until it does."""
    lossy = "WEBP" if image.mode == "RGBA" else "JPEG"
    attempt, size = "PNG", image.size
    while (data := _encode(image, attempt)) is None:
        if attempt == lossy:
            width, height = (max(1, int(edge * _SMALLER)) for edge in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        attempt = lossy
    path = target.with_suffix(_SUFFIXES[attempt])
    path.write_bytes(data)
    note = ""
    if attempt == lossy:
        note = f"is sent as {lossy} at quality {LOSSY_QUALITY} to stay under 50 MB"
    if image.size != size:
        note += f", scaled down from {size[0]}x{size[1]} to {image.width}x{image.height}"
    return Prepared(str(path), Image.MIME[attempt], note=note)


def _encode(image: Image.Image, attempt: str) -> memoryview | None:
    if max(image.size) > _LONGEST_EDGE[attempt]:
        return None
    output = _Capped()
    try:
        image.save(output, attempt, **_OPTIONS[attempt])
    except (_TooLarge, ValueError):  # ValueError: libwebp's own limits on what a file may hold
        return None
    return output.getbuffer()
