"""Abstract pictures for a poster's panel, each in the colours of a palette."""

import math
import random
from collections.abc import Callable
from typing import Final

from PIL import Image

from sandbox.drawing.canvas import Canvas, Fade, Point, mesh
from sandbox.drawing.palette import Palette

Art = Callable[[Canvas, Palette, random.Random], None]


def paint(size: tuple[int, int], style: int, colors: Palette, dice: random.Random) -> Image.Image:
    """Return an RGB panel of ``size`` pixels in one of the styles."""
    canvas = Canvas(mesh(size, (colors.ground, colors.ground, colors.glow, colors.glow)))
    STYLES[style % len(STYLES)](canvas, colors, dice)
    return canvas.image


def hills(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw a sun that goes down behind rolling hills."""
    radius = canvas.short * dice.uniform(0.24, 0.30)
    center = (canvas.width * dice.uniform(0.36, 0.66), canvas.height * dice.uniform(0.40, 0.48))
    canvas.ring(center, radius * 1.55, radius * 0.02, colors.shapes[1])
    canvas.ellipse(center, radius, Fade(colors.shapes[1], colors.shapes[0]))
    for index, color in enumerate((colors.shapes[0], colors.shapes[2], colors.ground)):
        top = canvas.height * (0.56 + 0.14 * index)
        ridge = _wave(canvas, top, canvas.height * 0.07, dice)
        canvas.polygon([*ridge, (canvas.width, canvas.height), (0, canvas.height)], color)


def tiles(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw a grid of quarter circles, discs and triangles."""
    count = 3 if canvas.long < 2 * canvas.short else 2
    side = canvas.short / count
    columns, rows = math.ceil(canvas.width / side), math.ceil(canvas.height / side)
    paints = (*colors.shapes, colors.ground, colors.glow)
    for cell in range(columns * rows):
        left, top = side * (cell % columns), side * (cell // columns)
        back, front, dot = dice.sample(paints, 3)
        corners = [
            (left, top),
            (left + side, top),
            (left + side, top + side),
            (left, top + side),
        ]
        canvas.polygon(corners, back)
        turn = dice.randrange(4)
        if dice.random() < 0.62:
            canvas.slice(corners[turn], side, 90 * turn, 90 * turn + 90, front)
            canvas.slice(corners[turn], side * 0.45, 90 * turn, 90 * turn + 90, dot)
        elif dice.random() < 0.5:
            canvas.ellipse((left + side / 2, top + side / 2), side * 0.36, front)
        else:
            canvas.polygon([corners[turn], corners[(turn + 1) % 4], corners[(turn + 2) % 4]], front)


def arcs(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw a rainbow of thick arcs around a corner."""
    center = (canvas.width * dice.choice((0.0, 1.0)), canvas.height)
    reach = 0.98 * canvas.long if canvas.long < 1.6 * canvas.short else 1.35 * canvas.short
    paints = [*colors.shapes[:3], colors.shapes[3], colors.shapes[1], colors.ground]
    for index, color in enumerate(paints):
        canvas.ellipse(center, reach * (1 - index / (len(paints) + 0.6)), color)
    moon = (canvas.width - center[0]) * 0.72 + canvas.width * 0.14
    canvas.ellipse((moon, canvas.height * 0.17), canvas.short * 0.085, colors.shapes[3])


def rays(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw beams of light from a disc at the bottom."""
    center = (canvas.width * dice.uniform(0.35, 0.65), canvas.height * 0.92)
    reach = canvas.width + canvas.height
    count = dice.choice((9, 11, 13))
    for index in range(count):
        start = 180 + 180 * index / count
        paint_ = (colors.shapes[0], colors.glow, colors.shapes[1])[index % 3]
        canvas.slice(center, reach, start, start + 100 / count, paint_)
    canvas.ellipse(center, canvas.short * 0.34, colors.ground)
    canvas.ellipse(center, canvas.short * 0.30, Fade(colors.shapes[1], colors.shapes[0]))


def waves(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw bands of water under a moon."""
    center = (canvas.width * dice.uniform(0.25, 0.75), canvas.height * 0.24)
    canvas.ellipse(center, canvas.short * 0.13, colors.shapes[3])
    paints = (colors.shapes[2], colors.shapes[0], colors.shapes[1], colors.glow, colors.ground)
    for index in range(7):
        top = canvas.height * (0.36 + 0.10 * index)
        ridge = _wave(canvas, top, canvas.height * 0.055, dice)
        band = [*ridge, (canvas.width, canvas.height), (0.0, float(canvas.height))]
        canvas.polygon(band, paints[index % len(paints)])


def orbits(canvas: Canvas, colors: Palette, dice: random.Random) -> None:
    """Draw planets on rings."""
    center = (canvas.width * dice.uniform(0.42, 0.58), canvas.height * dice.uniform(0.44, 0.56))
    canvas.ellipse(center, canvas.short * 0.15, Fade(colors.shapes[1], colors.shapes[0]))
    for index in range(4):
        radius = canvas.short * (0.24 + 0.115 * index)
        canvas.ring(center, radius, canvas.short * 0.006, colors.shapes[3])
        angle = dice.uniform(0, 2 * math.pi)
        planet = (center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle))
        size = canvas.short * dice.uniform(0.028, 0.058)
        canvas.ellipse(planet, size, colors.shapes[index])


STYLES: Final[tuple[Art, ...]] = (hills, tiles, arcs, waves, rays, orbits)


def _wave(canvas: Canvas, top: float, swing: float, dice: random.Random) -> list[Point]:
    """Return a smooth line from the left edge to the right one."""
    phase, turns = dice.uniform(0, 2 * math.pi), dice.uniform(0.8, 1.5)
    steps = 72
    return [
        (
            canvas.width * step / steps,
            top
            + swing * math.sin(phase + 2 * math.pi * turns * step / steps)
            + swing * 0.35 * math.sin(2.3 * phase + 5.1 * math.pi * step / steps),
        )
        for step in range(steps + 1)
    ]
