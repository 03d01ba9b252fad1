"""One received image to a file of the promised format: as it came, or converted."""

import logging
from pathlib import Path

from PIL import Image

from gpt_image import image_structure
from gpt_image.image_structure import Damaged, Structure
from gpt_image.request import ImageRequest
from gpt_image.upstream.base64_file import Base64File

log = logging.getLogger(__name__)

_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_EXIF_PREFIX = b"Exif\0\0"

# Everything else that Pillow reads stays off: EPS for one would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


def finish(received: Base64File | Path, request: ImageRequest, number: int) -> Path:
    """Name the file by what it is; re-encode it only if it is not of the promised format."""
    if isinstance(received, Base64File):
        received.flush()
    file = received.path if isinstance(received, Base64File) else received
    promised = request.output_format
    final = file.with_name(f"{file.parent.name}-{number - 1}{_SUFFIXES[promised]}")
    label = f"image {number}"
    structure = _structure_of_whole(file)
    if structure and structure.content_type == f"image/{promised}":
        # Its header says enough: Pillow takes 4 ms to open a WebP of 1024x1024.
        _report_size(structure.width, structure.height, request, label)
        if request.background == "transparent":
            with Image.open(file, formats=_FORMATS) as image:
                _report_opacity(image, label)
        file.rename(final)
        return final
    with Image.open(file, formats=_FORMATS) as image:
        _report_size(image.width, image.height, request, label)
        if request.background == "transparent":
            _report_opacity(image, label)
        log.info("The upstream sent %s as %s; converted to %s.", label, image.format, promised)
        _convert(image, final, promised, request.output_compression)
    file.unlink()
    return final


def _structure_of_whole(file: Path) -> Structure | None:
    """What PNG, JPEG or WebP says of itself, None for others; Damaged where it breaks off."""
    with file.open("rb") as received:
        kind = image_structure.kind_of(received.read(image_structure.START))
        structure = image_structure.read(received, file.stat().st_size, kind) if kind else None
    if structure and not structure.has_end:
        raise Damaged
    return structure


def _report_size(width: int, height: int, request: ImageRequest, label: str) -> None:
    size = f"{width}x{height}"
    if request.size not in {"auto", size}:
        log.warning("The upstream sent %s at %s instead of %s.", label, size, request.size)


def _report_opacity(image: Image.Image, label: str) -> None:
    if not _has_transparency(image):
        log.warning("A transparent background was asked for, but %s is fully opaque.", label)


def _has_transparency(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(lowest, int) and lowest < 255


def _convert(image: Image.Image, file: Path, promised: str, quality: int) -> None:
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
    pixels.save(file, format=promised, quality=quality, **kept)


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
