"""One picture for one job: a panel of art or of the caller's images, and the prompt as its text."""

import hashlib
import random

from PIL import Image, ImageDraw

from sandbox.drawing import art, collage
from sandbox.drawing.canvas import Canvas
from sandbox.drawing.caption import write
from sandbox.drawing.grain import with_grain
from sandbox.drawing.layout import Area, lay_out
from sandbox.drawing.masked import masked
from sandbox.drawing.palette import Color, Palette, base_hue, palette
from sandbox.drawing.typography import printable
from sandbox.job import Job
from sandbox.markers import without_markers

_LONG_PROMPT = 24


def draw(job: Job, variant: int, seed: int, *, grain: bool = False) -> Image.Image:
    """Return picture number ``variant`` of a job: RGBA where transparent is asked, else RGB.

    The same job, variant and seed give the same picture; variants differ in layout, tone and art.
    A prompt of white space alone gives a picture without words.
    """
    prompt = without_markers(job.prompt)
    text = printable(prompt)
    # What the prompt alone decides is shared, so that variants step through styles side by side.
    shared = dice_of(seed, prompt)
    hue, step = base_hue(prompt, shared), shared.randrange(24) + variant
    dice = dice_of(seed, prompt, variant)
    colors = palette(hue + 12 * variant, step, dice)
    clear = job.background == "transparent"
    look = 2 * variant if clear else step
    if job.mask is not None:
        edited = masked(job.inputs[0], job.mask, job.size, step, colors, dice)
        return edited if clear else _on(colors.paper, edited)
    layout = lay_out(job.size, look, _share(job, text), beside=bool(text))
    image = Image.new("RGBA", job.size) if clear else Image.new("RGB", job.size, colors.paper)
    canvas = Canvas(image)
    panel = _panel(job, layout.panel, step, colors, dice)
    _hang(canvas, panel, layout.panel, clear or layout.framed)
    write(canvas, text, layout, colors, kicker=_kicker(shared, variant, job.n), plate=clear)
    return with_grain(image, dice) if grain else image


def _on(paper: Color, image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, paper)
    flat.paste(image, (0, 0), image)
    return flat


def dice_of(*key: object) -> random.Random:
    """Return a generator that depends on the key alone, on every machine."""
    return random.Random(hashlib.sha256(repr(key).encode()).digest())


def _share(job: Job, text: str) -> float:
    """Return how much of the poster the panel takes; without words it has nearly all."""
    if not text:
        return 0.88
    long = len(text.split()) > _LONG_PROMPT
    if job.inputs:
        return 0.60 if long else 0.70
    return 0.46 if long else 0.60


def _kicker(shared: random.Random, variant: int, n: int) -> str:
    number = f"No. {shared.randrange(1, 100)}"
    return number if n == 1 else f"{number} - {variant + 1}/{n}"


def _panel(job: Job, area: Area, step: int, colors: Palette, dice: random.Random) -> Image.Image:
    if job.inputs:
        return collage.compose(job.inputs, area.size, step, colors, dice)
    return art.paint(area.size, step, colors, dice)


def _hang(canvas: Canvas, panel: Image.Image, area: Area, rounded: bool) -> None:
    """Put the panel on the poster; away from the edges its corners are rounded a little."""
    mask = Image.new("L", area.size, 255)
    if rounded:
        radius = round(canvas.short * 0.018)
        mask = Image.new("L", (area.width * 2, area.height * 2))
        box = (0, 0, area.width * 2 - 1, area.height * 2 - 1)
        ImageDraw.Draw(mask).rounded_rectangle(box, radius * 2, 255)
        mask = mask.reduce(2)
    if canvas.image.mode == "RGBA":
        panel = panel.convert("RGBA")
        panel.putalpha(mask)
    canvas.image.paste(panel, (area.left, area.top), mask if canvas.image.mode == "RGB" else None)
