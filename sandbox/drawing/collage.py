"""The caller's images, composed into a panel."""

import random
from itertools import pairwise
from typing import Final

from PIL import Image, ImageFilter, ImageOps

from sandbox.drawing.canvas import Canvas, Fade, mesh
from sandbox.drawing.palette import Color, Palette

_MAT: Final = 0.035
_GAP: Final = 0.022
_SHRINKABLE: Final = ("L", "RGB", "RGBA")


def compose(
    images: tuple[Image.Image, ...],
    size: tuple[int, int],
    step: int,
    colors: Palette,
    dice: random.Random,
) -> Image.Image:
    """Return an RGB panel: one image framed as a print, several as a mosaic."""
    tinted = step % 3 == 2
    pictures = [_treated(image, size, tinted, colors) for image in images]
    panel = mesh(size, (colors.ground, colors.glow, colors.ground, colors.glow))
    if len(pictures) == 1:
        return _print(panel, pictures[0], colors, dice)
    return _mosaic(panel, pictures, step)


def _treated(
    image: Image.Image, size: tuple[int, int], tinted: bool, colors: Palette
) -> Image.Image:
    """Return an upright RGB copy no larger than the panel, in two tones where asked."""
    room = max(size)
    if image.mode in _SHRINKABLE:
        # A cheap first step for large photographs, which keeps what says how they are turned.
        image = image.reduce(max(1, min(image.size) // room))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    upright.thumbnail((room, room))
    flat = Image.new("RGB", upright.size, colors.shapes[3])
    flat.paste(upright, (0, 0), upright)
    if tinted:
        dark, light = sorted((colors.paper, colors.ink), key=sum)
        return ImageOps.colorize(ImageOps.grayscale(flat), dark, light)
    return flat


def _print(
    panel: Image.Image, picture: Image.Image, colors: Palette, dice: random.Random
) -> Image.Image:
    """Hang one picture whole, with a white mat and a soft shadow, before a coloured disc."""
    canvas = Canvas(panel)
    radius = canvas.short * 0.46
    side = dice.choice((0.22, 0.78))
    disc = (canvas.width * side, canvas.height * dice.choice((0.24, 0.76)))
    canvas.ellipse(disc, radius, Fade(colors.shapes[1], colors.shapes[0]))
    mat = round(canvas.short * _MAT)
    room = (round(canvas.width * 0.88) - 2 * mat, round(canvas.height * 0.86) - 2 * mat)
    picture = ImageOps.contain(picture, room, Image.Resampling.LANCZOS)
    framed = ImageOps.expand(picture, mat, (252, 251, 248))
    corner = ((canvas.width - framed.width) // 2, (canvas.height - framed.height) // 2)
    _shadow(panel, framed.size, (corner[0], corner[1] + mat // 2), mat, colors.ink)
    panel.paste(framed, corner)
    return panel


def _shadow(
    panel: Image.Image, size: tuple[int, int], corner: tuple[int, int], blur: int, ink: Color
) -> None:
    """Darken the panel under a print. The mask is blurred small, since blurring is slow."""
    shrink = max(1, blur // 4)
    pad = 3 * blur
    small = ((size[0] + 2 * pad) // shrink, (size[1] + 2 * pad) // shrink)
    mask = Image.new("L", small)
    inner = (pad // shrink, pad // shrink, (size[0] + pad) // shrink, (size[1] + pad) // shrink)
    mask.paste(120, inner)
    mask = mask.filter(ImageFilter.GaussianBlur(blur / shrink))
    mask = mask.resize((size[0] + 2 * pad, size[1] + 2 * pad), Image.Resampling.BILINEAR)
    dark = (min(ink[0], 40), min(ink[1], 40), min(ink[2], 40))
    panel.paste(dark, (corner[0] - pad, corner[1] - pad), mask)


def _mosaic(panel: Image.Image, pictures: list[Image.Image], step: int) -> Image.Image:
    """Hang the pictures whole in even rows, in the number of rows that shows them largest."""
    gap = max(2, round(min(panel.size) * _GAP))
    if step % 2:
        pictures = pictures[::-1]
    shapes = [picture.width / picture.height for picture in pictures]
    choices = [_split(len(pictures), count) for count in range(1, len(pictures) + 1)]
    rows = max(choices, key=lambda rows: _covered(rows, shapes, panel.size, gap))
    wide = _row_width(rows, shapes, panel.size, gap)
    heights = [_row_height(row, shapes, wide, gap) for row in rows]
    top = (panel.height - sum(heights) - gap * (len(rows) - 1)) / 2
    for row, height in zip(rows, heights, strict=True):
        left = (panel.width - wide) / 2
        for index in row:
            cell = (max(1, round(height * shapes[index])), max(1, round(height)))
            fitted = ImageOps.fit(pictures[index], cell, Image.Resampling.LANCZOS)
            panel.paste(fitted, (round(left), round(top)))
            left += height * shapes[index] + gap
        top += height + gap
    return panel


def _split(pictures: int, rows: int) -> list[range]:
    """Return the pictures' positions, spread over rows as evenly as they go."""
    edges = [round(pictures * row / rows) for row in range(rows + 1)]
    return [range(begin, end) for begin, end in pairwise(edges)]


def _covered(rows: list[range], shapes: list[float], panel: tuple[int, int], gap: int) -> float:
    """Return the area, gaps between pictures included, that rows of whole pictures cover."""
    wide = _row_width(rows, shapes, panel, gap)
    return wide * sum(_row_height(row, shapes, wide, gap) for row in rows)


def _row_height(row: range, shapes: list[float], wide: float, gap: int) -> float:
    return (wide - gap * (len(row) - 1)) / sum(shapes[index] for index in row)


def _row_width(rows: list[range], shapes: list[float], panel: tuple[int, int], gap: int) -> float:
    """Return the width at which rows of whole pictures fill the panel but for two gaps around."""
    # A row's height grows linearly with its width, so the panel's height gives the width.
    slope = sum(1 / sum(shapes[index] for index in row) for row in rows)
    fixed = sum(gap * (len(row) - 1) / sum(shapes[index] for index in row) for row in rows)
    by_height = (panel[1] - gap * (len(rows) + 3) + fixed) / slope
    return min(panel[0] - 4 * gap, by_height)
