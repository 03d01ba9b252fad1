"""Which sizes a model draws, and the nearest of them to one that it does not."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

_WRITTEN = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None where that is not WIDTHxHEIGHT."""
        written = _WRITTEN.fullmatch(text)
        return cls(int(written[1]), int(written[2])) if written else None

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        return self.width * self.height


class SizeRule(Protocol):
    """The sizes of a model, `auto` apart, which all of them take."""

    def broken_by(self, size: Size) -> str | None:
        """What is wrong, to follow the size in a sentence; None for a size that is drawn."""

    def nearest(self, size: Size) -> Size:
        """The size that is drawn and differs least."""


@dataclass(frozen=True)
class Listed:
    """These sizes and no others."""

    sizes: Sequence[Size]

    def broken_by(self, size: Size) -> str | None:
        if size in self.sizes:
            return None
        return f"is not one of {', '.join(map(str, self.sizes))}"

    def nearest(self, size: Size) -> Size:
        return min(self.sizes, key=lambda each: _distance(each, size))


@dataclass(frozen=True)
class Free:
    """Any size within these bounds, in pixels."""

    step: int
    """Both edges are divisible by it."""
    longest_edge: int
    least_pixels: int
    most_pixels: int
    steepest: int
    """The longer edge is at most so many times the shorter one."""

    def broken_by(self, size: Size) -> str | None:
        short, long = sorted(size)
        if size.width % self.step or size.height % self.step:
            return f"is not divisible by {self.step}"
        if long > self.longest_edge:
            return f"has an edge over {self.longest_edge}"
        if long > self.steepest * short:
            return f"is longer than {self.steepest}:1"
        if size.pixels < self.least_pixels:
            return f"has fewer than {self.least_pixels:,} pixels"
        if size.pixels > self.most_pixels:
            return f"has more than {self.most_pixels:,} pixels"
        return None

    def nearest(self, size: Size) -> Size:
        """Of the same shape as far as that goes; the larger one of two at the same distance."""
        wanted = self._within_bounds(max(1, size.width), max(1, size.height))
        return min(
            (each for each in self._around(*wanted) if not self.broken_by(each)),
            key=lambda each: (
                round(abs(each.width - wanted[0]) + abs(each.height - wanted[1]), 3),
                -each.pixels,
            ),
        )

    def _within_bounds(self, width: float, height: float) -> tuple[float, float]:
        # Where edges are short, the steepest shapes have too few pixels.
        steepest = min(self.steepest, self.longest_edge**2 / self.least_pixels)
        shape = min(max(width / height, 1 / steepest), steepest)
        most = min(self.most_pixels, self.longest_edge**2 * min(shape, 1 / shape))
        pixels = min(max(width * height, self.least_pixels), most)
        return math.sqrt(pixels * shape), math.sqrt(pixels / shape)

    def _around(self, width: float, height: float) -> Iterator[Size]:
        """Sizes on the grid; two steps each way, since a bound may forbid the first."""
        reach = range(-2, 4)
        across, down = int(width) // self.step, int(height) // self.step
        for right, below in itertools.product(reach, reach):
            if across + right > 0 and down + below > 0:
                yield Size((across + right) * self.step, (down + below) * self.step)


def _distance(one: Size, other: Size) -> float:
    """By shape first, then by how much there is to see."""
    shapes = (math.log(max(1, size.width) / max(1, size.height)) for size in (one, other))
    return abs(next(shapes) - next(shapes)) * 10 + abs(math.log(one.pixels / max(1, other.pixels)))
