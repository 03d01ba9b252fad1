"""A poster as an SVG drawing: the same words and colours, shapes in place of pixels."""

import math
from xml.sax.saxutils import escape

from sandbox.drawing.caption import MARK, split_title
from sandbox.drawing.palette import Color, Palette, base_hue, palette
from sandbox.drawing.picture import dice_of
from sandbox.drawing.typography import printable
from sandbox.job import Job, Size
from sandbox.markers import without_markers


def draw_svg(job: Job, seed: int) -> bytes:
    """Return the drawing's file."""
    prompt = without_markers(job.prompt)
    dice = dice_of(seed, prompt)
    colors = palette(base_hue(prompt, dice), dice.randrange(24), dice)
    size = job.size
    ground = "" if job.background == "transparent" else _rect(size, colors.paper)
    title, _ = split_title(printable(prompt))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}" height="{size.height}" '
        f'viewBox="0 0 {size.width} {size.height}">',
        f"<title>{escape(prompt)}</title>",
        ground,
        *_landscape(size, colors),
        *_words(size, title, colors),
        "</svg>",
    ]
    return "\n".join(filter(None, parts)).encode()


def _landscape(size: Size, colors: Palette) -> list[str]:
    short, horizon = min(size), size.height * 0.62
    sun = (
        f'<circle cx="{size.width * 0.62:.0f}" cy="{size.height * 0.3:.0f}" r="{short * 0.17:.0f}" '
        f'fill="{_hex(colors.shapes[1])}"/>'
    )
    hills = [
        _hill(size, horizon - size.height * 0.12 * (2 - index), index, colors.shapes[index])
        for index in range(3)
    ]
    return [sun, *hills]


def _hill(size: Size, top: float, phase: int, color: Color) -> str:
    ridge = " ".join(
        f"{size.width * step / 24:.0f},"
        f"{top + size.height * 0.05 * math.sin(phase * 2 + math.pi * step / 8):.0f}"
        for step in range(25)
    )
    floor = size.height * 0.68
    return (
        f'<polygon points="0,{floor:.0f} {ridge} {size.width},{floor:.0f}" fill="{_hex(color)}"/>'
    )


def _words(size: Size, title: str, colors: Palette) -> list[str]:
    letter = min(min(size) * 0.09, size.width * 1.6 / max(1, len(title)))
    left = min(size) * 0.07
    return [
        f'<text x="{left:.0f}" y="{size.height * 0.82:.0f}" font-family="sans-serif" '
        f'font-weight="bold" font-size="{letter:.0f}" fill="{_hex(colors.ink)}">'
        f"{escape(title)}</text>",
        f'<text x="{size.width - left:.0f}" y="{size.height - left / 2:.0f}" text-anchor="end" '
        f'font-family="sans-serif" font-size="{max(11, min(size) * 0.015):.0f}" '
        f'fill="{_hex(colors.soft)}">{MARK}</text>',
    ]


def _rect(size: Size, color: Color) -> str:
    return f'<rect width="{size.width}" height="{size.height}" fill="{_hex(color)}"/>'


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
