"""The caller's images, composed into a panel."""

import random
from typing import Final

from PIL import Image, ImageFilter, ImageOps

from sandbox.drawing.canvas import Canvas, Fade, mesh
from sandbox.drawing.palette import Color, Palette

_MAT: Final = 0.035
_GAP: Final = 0.022


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
    image = image.copy()
    image.draft("RGB", size)
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    upright.thumbnail((size[0] * 2, size[1] * 2))
    flat = Image.new("RGB", upright.size, colors.shapes[3])
    flat.paste(upright, (0, 0), upright)
    if tinted:
        return ImageOps.colorize(ImageOps.grayscale(flat), colors.ground, colors.shapes[3])
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
    """Fill the panel with rows of pictures, each row as full as the images' shapes allow."""
    gap = max(2, round(min(panel.size) * _GAP))
    if step % 2:
        pictures = pictures[::-1]
    rows = _rows(pictures, panel.width / panel.height)
    heights = [1 / sum(each.width / each.height for each in row) for row in rows]
    room = panel.height - gap * (len(rows) + 1)
    top = gap
    for index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        last = index == len(rows) - 1
        tall = panel.height - gap - top if last else round(room * height / sum(heights))
        _hang_row(panel, row, top, tall, gap)
        top += tall + gap
    return panel


def _rows(pictures: list[Image.Image], ratio: float) -> list[list[Image.Image]]:
    """Split pictures into the number of rows that crops them least."""

    def split(count: int) -> list[list[Image.Image]]:
        edges = [round(len(pictures) * i / count) for i in range(count + 1)]
        return [pictures[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    def distortion(rows: list[list[Image.Image]]) -> float:
        tall = sum(1 / sum(each.width / each.height for each in row) for row in rows)
        return max(tall * ratio, 1 / (tall * ratio))

    return min((split(count) for count in range(1, len(pictures) + 1)), key=distortion)


def _hang_row(
    panel: Image.Image, row: list[Image.Image], top: int, height: int, gap: int
) -> None:
    room = panel.width - gap * (len(row) + 1)
    shapes = [each.width / each.height for each in row]
    left = gap
    for index, (picture, shape) in enumerate(zip(row, shapes, strict=True)):
        last = index == len(row) - 1
        wide = panel.width - gap - left if last else round(room * shape / sum(shapes))
        cell = (max(1, wide), max(1, height))
        panel.paste(ImageOps.fit(picture, cell, Image.Resampling.LANCZOS), (left, top))
        left += wide + gap
