"""Setting text: words that the font has, lines that balance, sizes that fit.

The font is Aileron, which comes inside Pillow and covers plain Latin. Other letters lose their
accents or are left out, and text in other scripts gives a picture without words.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from sandbox.drawing.canvas import Canvas
from sandbox.drawing.palette import Color

_REFERENCE: Final = 128
_REPLACED: Final = str.maketrans(
    {"‐": "-", "‑": "-", "–": "-", "—": "-", "ß": "ss", "æ": "ae", "ø": "o", "Ø": "O", "ł": "l"}
)
_EXTRA: Final = "©«°±´·»‘’“”…‹›™"
_MOST_WORDS: Final = 220


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the embedded font at a size in pixels."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install a wheel from PyPI.")
    return loaded


def printable(text: str) -> str:
    """Return the text in letters that the font has."""
    plain = unicodedata.normalize("NFKD", text.translate(_REPLACED))
    kept = "".join(c if " " <= c <= "~" or c in _EXTRA else _substitute(c) for c in plain)
    return " ".join(kept.split())


def _substitute(character: str) -> str:
    return "" if unicodedata.combining(character) else " "


@dataclass(frozen=True)
class Block:
    """Lines of text at one size; ``weight`` is the stroke that thickens letters, in ems."""

    lines: tuple[str, ...]
    size: int
    leading: float
    weight: float

    @property
    def height(self) -> int:
        """The height in pixels, from the first line's ascent to the last one's descent."""
        return round(self.size * (1 + self.leading * (len(self.lines) - 1))) if self.lines else 0


def fit(
    text: str,
    width: float,
    height: float,
    largest: float,
    smallest: float,
    *,
    leading: float = 1.1,
    weight: float = 0.0,
) -> Block:
    """Return the text at the largest size at which it fits, its lines balanced.

    What does not fit at the smallest size is cut off with an ellipsis. Sizes are in pixels.
    """
    words = _breakable(text.split()[:_MOST_WORDS], width / smallest)
    low, high = round(smallest), max(round(largest), round(smallest))
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(words, middle, width, height, leading):
            low = middle
        else:
            high = middle - 1
    lines = _balanced(words, width / low)
    room = max(1, int((height / low - 1) / leading) + 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1].rstrip(" ,.;:") + "…"]
    return Block(tuple(lines), low, leading, weight)


def _fits(words: list[str], size: int, width: float, height: float, leading: float) -> bool:
    if any(_ems(word) * size > width for word in words):
        return False
    lines = _wrapped(words, width / size)
    return size * (1 + leading * (len(lines) - 1)) <= height


@lru_cache(maxsize=4096)
def _ems(text: str) -> float:
    return font(_REFERENCE).getlength(text) / _REFERENCE


def _breakable(words: list[str], ems: float) -> list[str]:
    """Break words that are wider than a line even at the smallest size."""
    pieces: list[str] = []
    for word in words:
        while _ems(word) > ems and len(word) > 1:
            most = max(1, int(len(word) * ems / _ems(word)) - 1)
            pieces.append(word[:most])
            word = word[most:]
        pieces.append(word)
    return pieces


def _wrapped(words: list[str], ems: float) -> list[str]:
    space = _ems(" ")
    lines: list[list[str]] = []
    used = 0.0
    for word in words:
        wide = _ems(word)
        if lines and used + space + wide <= ems:
            lines[-1].append(word)
            used += space + wide
        else:
            lines.append([word])
            used = wide
    return [" ".join(line) for line in lines]


def _balanced(words: list[str], ems: float) -> list[str]:
    """Wrap to the narrowest width that needs no more lines than the full one."""
    best = _wrapped(words, ems)
    low, high = ems / 3, ems
    for _ in range(12):
        middle = (low + high) / 2
        lines = _wrapped(words, middle)
        fits = all(_ems(line) <= middle for line in lines)
        if fits and len(lines) <= len(best):
            best, high = lines, middle
        else:
            low = middle
    return best


def set_block(
    canvas: Canvas, block: Block, corner: tuple[float, float], color: Color, *, center: float = 0
) -> None:
    """Draw a block with its top left at ``corner``, or centred in ``center`` pixels of width."""
    for index, line in enumerate(block.lines):
        indent = (center - _ems(line) * block.size) / 2 if center else 0
        top = corner[1] + index * block.leading * block.size
        _draw_line(canvas, line, block, (corner[0] + indent, top), color)


def _draw_line(
    canvas: Canvas, line: str, block: Block, corner: tuple[float, float], color: Color
) -> None:
    stroke = block.size * block.weight
    pad = round(stroke) + 2
    mask = Image.new("L", (round(_ems(line) * block.size) + 2 * pad, round(block.size * 1.4) + pad))
    pen = ImageDraw.Draw(mask)
    pen.text((pad, 0), line, 255, font(block.size), stroke_width=stroke)
    canvas.stamp(mask, (round(corner[0]) - pad, round(corner[1])), color)


def spaced(
    canvas: Canvas, text: str, corner: tuple[float, float], size: float, color: Color
) -> None:
    """Draw one line of small capitals with wide gaps between its letters."""
    left, gap = corner[0], size * 0.16
    for letter in text.upper():
        block = Block((letter,), round(size), 1, 0.02)
        if letter != " ":
            set_block(canvas, block, (left, corner[1]), color)
        left += _ems(letter) * round(size) + gap


def spaced_width(text: str, size: float) -> float:
    """Return the width in pixels of a line of :func:`spaced`."""
    return sum(_ems(letter) * round(size) + size * 0.16 for letter in text.upper())
