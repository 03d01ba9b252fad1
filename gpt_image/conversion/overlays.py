"""A mask or a markup, held against the image that it lies over; runs in the process of conversions.

What the API wants of both is in its image reference (openai-python 3.52) and its image guide, which
also has how a black and white mask becomes one with alpha: black is where the picture changes.
"""

from pathlib import Path

from PIL import Image, ImageChops, ImageOps

from gpt_image.conversion import uploads
from gpt_image.conversion.decode import blaming_the_image, decoded
from gpt_image.conversion.reports import LaidOver, OverlayKind, Prepared

_FORMATS = ("PNG", "WEBP", "GIF", "TIFF", "BMP", "JPEG", "AVIF")
_ORIENTATION = 0x0112
_UPRIGHT = 1
_BIT_DEPTH = 24  # where a PNG's header has it

# JPEG leaves black and white pictures with a little grey and colour near their edges.
_NOISE = 24


class _Unfit(Exception):
    """`str()` follows "The mask"."""


def lay_over(
    kind: OverlayKind, source: Path, first: Path, scratch: Path, most_bytes: int
) -> LaidOver:
    """Make `source` a PNG with alpha, as large as `first` is when it is shown upright.

    Args:
        scratch: a folder, for what is written anew.
        most_bytes: what is sent stays below this.
    """
    try:
        upright = _upright(first, scratch / "input-1")
        with decoded(Path(upright.path if upright else first), uploads.FORMATS) as image:
            size = image.size
        path, note = _fitted(kind, source, size, scratch / f"{kind}.png", most_bytes)
    except _Unfit as problem:
        return LaidOver("", problem=str(problem))
    note_on_first = ""
    if upright:
        note_on_first = f"Input image 1 was turned upright, so that the {kind} lies as it shows."
    return LaidOver(str(path), note, first=upright, note_on_first=note_on_first)


def _upright(first: Path, target: Path) -> Prepared | None:
    """The first image written anew where its EXIF turns it, which not every reader heeds."""
    with blaming_the_image(), Image.open(first, formats=uploads.FORMATS) as image:
        turned = image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT
    return uploads.prepare(first, target) if turned else None


def _fitted(
    kind: OverlayKind, source: Path, size: tuple[int, int], target: Path, most_bytes: int
) -> tuple[Path, str]:
    with decoded(source, _FORMATS) as opened, blaming_the_image():
        is_plain_png = opened.format == "PNG" and not getattr(opened, "is_animated", False)
        was = opened.format or "an image"
        image = uploads.with_eight_bits(ImageOps.exif_transpose(opened))
    if image.size != size:
        raise _Unfit(
            f"has {_written(image.size)} pixels and the first input image {_written(size)}; "
            "make it as large as that image"
        )
    fit, how = (_mask if kind is OverlayKind.MASK else _markup)(image)
    weight = source.stat().st_size
    as_it_is = is_plain_png and not how and source.read_bytes()[_BIT_DEPTH] < 16
    if as_it_is and weight < most_bytes:
        return source, ""
    fit.save(target, "PNG")
    if target.stat().st_size >= most_bytes:
        raise _Unfit(f"is not smaller than {most_bytes // 1_000_000} MB; make it simpler")
    how = how or f"was {was} of {weight / 1_000_000:.1f} MB and was written anew as PNG"
    return target, f"The {kind} {how}."


def _mask(image: Image.Image) -> tuple[Image.Image, str]:
    """The mask as black with alpha, and what was done to it; its colours say nothing."""
    how = ""
    alpha = image.convert("RGBA").getchannel("A")
    if _lowest(alpha) == 255:
        alpha = _from_black_and_white(image)
        how = (
            "was black and white without alpha: black became transparent, which is where the "
            "picture changes, and white is kept"
        )
    if _lowest(alpha) > 0:
        raise _Unfit(
            "is nowhere fully transparent, so nothing could change; make it transparent where "
            "the picture may change"
        )
    fit = Image.new("RGBA", image.size)
    fit.putalpha(alpha)
    return fit, how


def _from_black_and_white(image: Image.Image) -> Image.Image:
    red, green, blue = image.convert("RGB").split()
    spread = max(
        _highest(ImageChops.difference(one, other))
        for one, other in ((red, green), (green, blue), (blue, red))
    )
    grey = image.convert("RGB").convert("L")
    if spread > _NOISE or _lowest(grey) > _NOISE or _mostly_grey(grey):
        raise _Unfit(
            "has no alpha and is not black and white; make it transparent where the picture may "
            "change, or black there and white elsewhere"
        )
    return grey.point(
        lambda value: 0 if value <= _NOISE else 255 if value >= 255 - _NOISE else value
    )


def _mostly_grey(grey: Image.Image) -> bool:
    """Whether it is a photograph: soft edges are grey as well, but they are few."""
    counts = grey.histogram()
    return sum(counts[_NOISE + 1 : 255 - _NOISE]) > sum(counts) / 4


def _markup(image: Image.Image) -> tuple[Image.Image, str]:
    fit = image.convert("RGBA")
    alpha = fit.getchannel("A")
    if _lowest(alpha) == 255:
        raise _Unfit(
            "is nowhere transparent, so it would hide the image; send a PNG that is transparent "
            "but for its marks"
        )
    if _highest(alpha) == 0:
        raise _Unfit("is empty; draw marks on it, or leave it out")
    return fit, ""


def _lowest(channel: Image.Image) -> int:
    return int(channel.getextrema()[0])  # type: ignore[arg-type] # one channel has two numbers


def _highest(channel: Image.Image) -> int:
    return int(channel.getextrema()[1])  # type: ignore[arg-type] # as above


def _written(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
