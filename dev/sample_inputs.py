"""Draws the pictures that the samples send.

Made here so that they carry nobody else's rights, and kept small: each goes into a request file.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIDE = 512  # pixels of the finished picture
SCALE = 3  # drawn larger and scaled down, which smooths the edges
FULL = SIDE * SCALE

Box = tuple[float, float, float, float]
Painter = Callable[[ImageDraw.ImageDraw], None]


def draw(folder: Path) -> None:
    """Write every picture into `folder`, each under 60 KB."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(mug(), folder / "mug.png")
    _save(mug_mask(), folder / "mug-mask.png")
    _save(armchair(), folder / "armchair.png")
    _save(lamp(), folder / "lamp.webp")
    _save(rug(), folder / "rug.jpg")
    _save(logo(), folder / "logo.jpg")


def mug() -> Image.Image:
    """A white enamel mug with a blue rim, as a shop would show it."""
    canvas = _backdrop("#f6f1e9", "#e4dacb")
    _shadow(canvas, (120, 400, 400, 452))
    handle = _mask(lambda d: d.ellipse(_px((318, 196, 440, 344)), fill=255))
    hole = _mask(lambda d: d.ellipse(_px((342, 222, 414, 318)), fill=255))
    canvas.paste(Image.new("RGB", canvas.size, "#d8d6d2"), mask=ImageChops.subtract(handle, hole))
    wall = _mask(lambda d: d.rectangle(_px((140, 150, 360, 400)), fill=255))
    bottom = _mask(lambda d: d.ellipse(_px((140, 372, 360, 430)), fill=255))
    body = ImageChops.lighter(wall, bottom)
    canvas.paste(_shaded("#ffffff", "#c9c6c1", (140, 360)), mask=body)
    draw = ImageDraw.Draw(canvas)
    draw.ellipse(_px((140, 118, 360, 182)), fill="#2c5a8f")
    draw.ellipse(_px((148, 124, 352, 178)), fill="#f4f2ee")
    draw.ellipse(_px((156, 136, 344, 178)), fill="#6a3f22")
    return canvas


def mug_mask() -> Image.Image:
    """A round place on the mug in black, all else in white: an edit may change the black."""
    mask = Image.new("L", (FULL, FULL), 255)
    ImageDraw.Draw(mask).ellipse(_px((172, 208, 328, 364)), fill=0)
    return mask


def armchair() -> Image.Image:
    """A green velvet armchair on wooden legs."""
    canvas = _backdrop("#f4efe6", "#e6ddcf")
    _shadow(canvas, (90, 430, 430, 480))
    draw = ImageDraw.Draw(canvas)
    for foot in (132, 360):
        draw.polygon(
            _px((foot, 390, foot + 20, 390, foot + 14, 462, foot + 4, 462)), fill="#8a5a33"
        )
    for box, colour, dark in (
        ((126, 96, 386, 330), "#2f7d64", "#1f5a48"),
        ((150, 262, 362, 352), "#3c9278", "#2a6f5a"),
        ((118, 330, 394, 402), "#2f7d64", "#1f5a48"),
        ((84, 226, 162, 402), "#38896f", "#225f4c"),
        ((350, 226, 428, 402), "#38896f", "#225f4c"),
    ):
        shape = _mask(lambda d, box=box: d.rounded_rectangle(_px(box), 36 * SCALE, fill=255))  # type: ignore[misc]
        canvas.paste(_shaded(colour, dark, (box[0], box[2])), mask=shape)
    for x in (210, 256, 302):
        for y in (150, 200):
            draw.ellipse(_px((x - 5, y - 5, x + 5, y + 5)), fill="#1b4f3f")
    return canvas


def lamp() -> Image.Image:
    """A brass floor lamp, lit."""
    canvas = _backdrop("#3a4152", "#262b38")
    glow = _mask(lambda d: d.ellipse(_px((60, 10, 452, 360)), fill=200), blur=46)
    canvas.paste(Image.new("RGB", canvas.size, "#ffd58a"), mask=glow)
    stem = _mask(lambda d: d.rectangle(_px((250, 190, 262, 452)), fill=255))
    canvas.paste(_shaded("#e2b866", "#8d6a2c", (250, 262)), mask=stem)
    foot = _mask(lambda d: d.ellipse(_px((186, 436, 326, 474)), fill=255))
    canvas.paste(_shaded("#e2b866", "#7d5d27", (186, 326)), mask=foot)
    shade = _mask(lambda d: d.polygon(_px((196, 84, 316, 84, 372, 212, 140, 212)), fill=255))
    canvas.paste(_shaded("#fff4d6", "#f0c878", (140, 372)), mask=shade)
    return canvas


def rug() -> Image.Image:
    """A woven rug of diamonds in four colours, seen from above."""
    canvas = Image.new("RGB", (FULL, FULL), "#efe4d2")
    draw = ImageDraw.Draw(canvas)
    colours = ["#b5452f", "#e0a243", "#28506b", "#f3ead9"]
    step = 64
    for row, y in enumerate(range(0, SIDE + step, step)):
        for column, x in enumerate(range(0, SIDE + step, step)):
            for ring, colour in enumerate(colours[(row + column) % 2 :]):
                reach = 46 - ring * 13
                draw.polygon(
                    _px((x, y - reach, x + reach, y, x, y + reach, x - reach, y)), fill=colour
                )
    draw.rectangle(_px((0, 0, SIDE, SIDE)), outline="#28506b", width=26 * SCALE)
    draw.rectangle(_px((30, 30, SIDE - 30, SIDE - 30)), outline="#e0a243", width=5 * SCALE)
    return canvas


def logo() -> Image.Image:
    """A sun over two waves: a mark of nobody's, for the playlist example."""
    canvas = Image.new("RGB", (FULL, FULL), "#ffffff")
    draw = ImageDraw.Draw(canvas)
    draw.pieslice(_px((126, 96, 386, 356)), 180, 360, fill="#f3a712")
    for top, colour in ((246, "#e4572e"), (318, "#17181c")):
        draw.rounded_rectangle(_px((96, top, 416, top + 44)), 22 * SCALE, fill=colour)
    return canvas


def _px(points: Sequence[float]) -> list[float]:
    return [value * SCALE for value in points]


def _mask(paint: Callable[[ImageDraw.ImageDraw], object], blur: float = 0) -> Image.Image:
    mask = Image.new("L", (FULL, FULL), 0)
    paint(ImageDraw.Draw(mask))
    return mask.filter(ImageFilter.GaussianBlur(blur * SCALE)) if blur else mask


def _backdrop(light: str, dark: str) -> Image.Image:
    """A soft pool of light in the middle of a wall."""
    pool = ImageChops.invert(Image.radial_gradient("L")).resize((FULL, FULL))
    return Image.composite(
        Image.new("RGB", pool.size, light), Image.new("RGB", pool.size, dark), pool
    )


def _shaded(light: str, dark: str, between: tuple[float, float]) -> Image.Image:
    """`light` left of the middle, falling to `dark` at both sides, as on a round body."""
    left, right = (round(edge * SCALE) for edge in between)
    highlight = left + (right - left) * 0.38
    row = Image.new("L", (FULL, 1))
    row.putdata(
        [round(255 * min(1, abs(x - highlight) / (right - highlight))) for x in range(FULL)]
    )
    mask = row.resize((FULL, FULL))
    return Image.composite(
        Image.new("RGB", mask.size, dark), Image.new("RGB", mask.size, light), mask
    )


def _shadow(canvas: Image.Image, box: Box) -> None:
    shape = _mask(lambda d: d.ellipse(_px(box), fill=110), blur=10)
    canvas.paste(Image.new("RGB", canvas.size, "#4b3b28"), mask=shape)


def _save(picture: Image.Image, path: Path) -> None:
    small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    if path.suffix == ".png":
        # A palette halves the file, and is a mode that the predictor must pass through.
        small.quantize(128).save(path, optimize=True)
    else:
        small.save(path, quality=60)
