"""Smooth shapes on an image: Pillow draws hard edges, so masks are drawn larger and shrunk."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from sandbox.drawing.palette import Color

Point = tuple[float, float]
Box = tuple[float, float, float, float]
_FINE_PIXELS = 1_700_000


@dataclass(frozen=True)
class Fade:
    """A paint that goes from one colour at the top to another at the bottom."""

    top: Color
    bottom: Color


Paint = Color | Fade


class Canvas:
    """An image to draw on, RGB or RGBA. Coordinates are pixels from the top left corner."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.width, self.height = image.size
        self.short, self.long = sorted(image.size)
        self._scale = 3 if self.width * self.height <= _FINE_PIXELS else 2

    def ellipse(self, center: Point, radius: float, paint: Paint) -> None:
        """Draw a disc."""
        box = _around(center, radius)
        self._shape(box, paint, lambda pen, at: pen.ellipse(_flat(at, box), 255))

    def ring(self, center: Point, radius: float, width: float, paint: Paint) -> None:
        """Draw a circle's line, ``width`` pixels inwards from ``radius``."""
        box, inner = _around(center, radius), _around(center, max(0.0, radius - width))

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[Point], Point]) -> None:
            pen.ellipse(_flat(at, box), 255)
            pen.ellipse(_flat(at, inner), 0)

        self._shape(box, paint, draw)

    def slice(self, center: Point, radius: float, start: float, end: float, paint: Paint) -> None:
        """Draw a piece of a disc between two angles in degrees, clockwise from the right."""
        disc, box = _around(center, radius), _around_slice(center, radius, start, end)
        self._shape(box, paint, lambda pen, at: pen.pieslice(_flat(at, disc), start, end, 255))

    def polygon(self, points: Sequence[Point], paint: Paint) -> None:
        """Draw a filled polygon."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        self._shape(box, paint, lambda pen, at: pen.polygon([at(p) for p in points], 255))

    def rounded(self, box: Box, radius: float, paint: Paint) -> None:
        """Draw a rectangle with round corners."""

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[Point], Point]) -> None:
            pen.rounded_rectangle(_flat(at, box), radius * self._scale, 255)

        self._shape(box, paint, draw)

    def stamp(self, mask: Image.Image, corner: tuple[int, int], paint: Paint) -> None:
        """Put paint on the image through a mask whose top left pixel stands at ``corner``."""
        coat = _coat(paint, mask.size)
        if self.image.mode == "RGB":
            self.image.paste(coat, corner, mask)
            return
        # Pasting on alpha would mix the colour with the black behind transparent pixels.
        layer = coat.convert("RGBA")
        layer.putalpha(mask)
        area = (*corner, corner[0] + mask.width, corner[1] + mask.height)
        self.image.paste(Image.alpha_composite(self.image.crop(area), layer), corner)

    def _shape(
        self,
        box: Box,
        paint: Paint,
        draw: Callable[[ImageDraw.ImageDraw, Callable[[Point], Point]], None],
    ) -> None:
        left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        right = min(self.width, math.ceil(box[2]) + 1)
        bottom = min(self.height, math.ceil(box[3]) + 1)
        if right <= left or bottom <= top:
            return
        scale = self._scale
        mask = Image.new("L", ((right - left) * scale, (bottom - top) * scale))
        draw(
            ImageDraw.Draw(mask),
            lambda point: ((point[0] - left) * scale, (point[1] - top) * scale),
        )
        self.stamp(mask.reduce(scale), (left, top), paint)


def mesh(size: tuple[int, int], corners: Sequence[Color]) -> Image.Image:
    """Return an RGB image that flows between four colours, one for each corner."""
    small = Image.new("RGB", (2, 2))
    small.putdata(list(corners))
    return small.resize(size, Image.Resampling.BICUBIC)


def _coat(paint: Paint, size: tuple[int, int]) -> Image.Image:
    if isinstance(paint, Fade):
        return mesh(size, (paint.top, paint.top, paint.bottom, paint.bottom))
    return Image.new("RGB", size, paint)


def _around(center: Point, radius: float) -> Box:
    return (center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius)


def _around_slice(center: Point, radius: float, start: float, end: float) -> Box:
    """Return the box of a slice, which is much smaller than its disc's: masks cost by area."""
    quarters = range(90 * math.ceil(start / 90), math.floor(end) + 1, 90)
    angles = [math.radians(angle) for angle in (start, end, *quarters)]
    xs = [center[0], *(center[0] + radius * math.cos(angle) for angle in angles)]
    ys = [center[1], *(center[1] + radius * math.sin(angle) for angle in angles)]
    return (min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1)


def _flat(at: Callable[[Point], Point], box: Box) -> Box:
    return (*at((box[0], box[1])), *at((box[2], box[3])))
