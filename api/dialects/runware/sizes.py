"""From the size that was asked for to one that the model draws. Pure.

Runware takes 16 to 3840 pixels an edge, in steps of 16. gpt-image-2 wants 655,360 to 8,294,400
pixels and at most 3:1 as well (OpenAI's image generation guide).
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

STEP, SHORTEST, LONGEST = 16, 16, 3840
FEWEST_PIXELS, MOST_PIXELS = 655_360, 8_294_400
MOST_UNEVEN = 3

Size = tuple[int, int]
"""Width and height in pixels."""

_SPELLED_OUT = re.compile(r"(\d+)x(\d+)")
_NAMED = {(1536, 864): "16:9", (864, 1536): "9:16"}
"""What Replicate's names stand for at this model, where no name spells the size out."""


def is_legal(size: Size) -> bool:
    """Whether gpt-image-2 draws it; the edges have passed Runware's own rule."""
    return FEWEST_PIXELS <= math.prod(size) <= MOST_PIXELS and max(size) <= MOST_UNEVEN * min(size)


def nearest_legal(size: Size) -> Size:
    """The legal size of most nearly the same shape that is as large, or as nearly so as it may."""
    if is_legal(size):
        return size
    floor = math.ceil(max(size) / MOST_UNEVEN)
    width, height = max(size[0], floor), max(size[1], floor)
    pixels = width * height
    if pixels > MOST_PIXELS:
        factor = math.sqrt(MOST_PIXELS / pixels)
        return math.floor(width * factor / STEP) * STEP, math.floor(height * factor / STEP) * STEP
    # The tiny bit less keeps what is already a multiple of 16 from being rounded up.
    factor = max(math.sqrt(FEWEST_PIXELS / pixels), 1.0) - 1e-9
    return math.ceil(width * factor / STEP) * STEP, math.ceil(height * factor / STEP) * STEP


def sizes_of(properties: Mapping[str, Mapping[str, Any]]) -> dict[Size, str] | None:
    """What the model's `aspect_ratio` can express, each by its name; None where any size goes."""
    if "size" in properties:
        return None
    names = [str(name) for name in properties.get("aspect_ratio", {}).get("enum", [])]
    found = {
        (int(match[1]), int(match[2])): name
        for name in names
        if (match := _SPELLED_OUT.fullmatch(name))
    }
    return found | {size: name for size, name in _NAMED.items() if name in names}


def nearest_of(size: Size, choices: Iterable[Size]) -> Size:
    """The one of most nearly the same shape; of several, the smallest that is large enough."""

    def price(choice: Size) -> tuple[float, bool, float]:
        uneven = abs(math.log((choice[0] * size[1]) / (choice[1] * size[0])))
        too_small = choice[0] < size[0]
        pixels = math.prod(choice)
        return round(uneven, 2), too_small, -pixels if too_small else pixels

    return min(choices, key=price)
