"""A received image to the promised format; runs in the process of conversions."""

from pathlib import Path
from typing import Any

from PIL import Image

from gpt_image.conversion.decode import blaming_the_image, decoded
from gpt_image.conversion.reports import Finished, NotEncoded

_EXIF_PREFIX = b"Exif\0\0"

# Everything else that Pillow reads stays off: EPS for one would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


def finish(source: Path, target: Path, promised: str, quality: int) -> Finished:
    """Write `source` as `promised`, with alpha, profile and EXIF; `quality` is 0 to 100."""
    with decoded(source, _FORMATS) as image:
        with blaming_the_image():
            pixels, kept = _plain(image, promised)
        try:
            pixels.save(target, format=promised, quality=quality, **kept)
        except ValueError:  # libwebp's own limits on what a file may hold
            raise NotEncoded from None
        return Finished(image.format or "", image.width, image.height)


def has_transparency(source: Path) -> bool:
    """Whether any pixel is not opaque."""
    with decoded(source, _FORMATS) as image:
        if not image.has_transparency_data:
            return False
        lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
        return isinstance(lowest, int) and lowest < 255


def _plain(image: Image.Image, promised: str) -> tuple[Image.Image, dict[str, Any]]:
    """The pixels to encode, and what goes with them."""
    kept = {}
    if exif := image.info.get("exif"):
        # Pillow hands it over as it stands in the file: with this prefix in JPEG, else without.
        kept["exif"] = _EXIF_PREFIX + exif.removeprefix(_EXIF_PREFIX)
    if image.mode in {"RGB", "RGBA", "P"}:  # a profile for grey or CMYK would be wrong now
        kept["icc_profile"] = image.info.get("icc_profile")
    if not image.has_transparency_data:
        pixels = image.convert("RGB")
    else:
        pixels = image.convert("RGBA")
        if promised == "jpeg":
            pixels = _on_white(pixels)
    pixels.info.clear()  # or Pillow writes from there what is not kept
    return pixels, kept


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
