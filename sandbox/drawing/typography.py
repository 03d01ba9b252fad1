"""Setting text: words that the font has, lines that balance, sizes that fit.

The font is Aileron, which comes inside Pillow and covers plain Latin. Other letters lose their
accents or are left out, and text in other scripts gives a picture without words.
"""

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from sandbox.drawing.canvas import Canvas
from sandbox.drawing.palette import Color

_REFERENCE: Final = 128
_DASHES: Final = dict.fromkeys(range(0x2010, 0x2016), "-")
_LIGATURES: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_QUOTES: Final = frozenset(map(chr, (*range(0x2018, 0x201E), 0xAB, 0xBB, 0x2039, 0x203A)))
_EXTRA: Final = _QUOTES | frozenset("©°±·…™")
_MOST_WORDS: Final = 220
_MOST_CHARACTERS: Final = 1_500
_FINE: Final = 96  # pixels from which on hinting changes widths by less than a percent
_LINE: Final = 1.2  # ems from the font's ascent to its descent
_WORTH_A_LINE: Final = 0.76


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the embedded font at a size in pixels."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install a wheel from PyPI.")
    return loaded


def printable(text: str) -> str:
    """Return the text in letters that the font has."""
    plain = text.translate(_DASHES | _LIGATURES)
    return " ".join("".join(map(_covered, plain)).split())


def _covered(character: str) -> str:
    """Return a character, its letter without the accent, or a space."""
    letter = character if character in _EXTRA else unicodedata.normalize("NFKD", character)[:1]
    return letter if " " <= letter <= "~" or letter in _EXTRA else " "


def abridged(text: str) -> str:
    """Return as much of the text as a poster can hold, with an ellipsis for the rest."""
    kept = " ".join(text[:_MOST_CHARACTERS].split()[:_MOST_WORDS])
    return kept if kept == text else kept.rstrip(" ,.;:…") + "…"


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
        if not self.lines:
            return 0
        return round(self.size * (_LINE + self.leading * (len(self.lines) - 1)))


def fit(
    text: str,
    width: float,
    height: float,
    largest: float,
    smallest: float,
    *,
    leading: float = 1.1,
    weight: float = 0.0,
    few_lines: bool = False,
) -> Block:
    """Return the text at the largest size at which it fits, its lines balanced.

    What does not fit at the smallest size is cut off with an ellipsis. Sizes are in pixels. With
    ``few_lines`` a somewhat smaller size is taken where it saves the third line or a later one.
    """
    words = _breakable(text.split(), width / smallest)
    sizes = range(round(smallest), max(round(largest), round(smallest)) + 1)
    size = _largest_size(words, sizes, width, height, leading)
    lines = _balanced(words, width / size)
    fewer = _largest_size(words, sizes, width, height, leading, most=len(lines) - 1)
    if few_lines and len(lines) > 2 and fewer > _WORTH_A_LINE * size:
        size, lines = fewer, _balanced(words, width / fewer)
    room = max(1, int((height / size - _LINE) / leading) + 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1].rstrip(" ,.;:…") + "…"]
    return Block(tuple(lines), size, leading, weight)


def _largest_size(
    words: list[str], sizes: range, width: float, height: float, leading: float, most: int = 1000
) -> int:
    """Return the largest size at which at most ``most`` lines fit, or the smallest there is."""
    low, high = sizes[0], sizes[-1]
    while low < high:
        size = (low + high + 1) // 2
        lines = _wrapped(words, width / size)
        tall = size * (_LINE + leading * (len(lines) - 1))
        wide = max((_ems(line) for line in lines), default=0) * size
        if len(lines) <= most and tall <= height and wide <= width:
            low = size
        else:
            high = size - 1
    return low


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
    # Hinting makes small letters wider than the reference says: draw them larger, and shrink.
    scale = math.ceil(_FINE / block.size)
    face, stroke = font(block.size * scale), block.size * scale * block.weight
    _, _, right, bottom = face.getbbox(line, stroke_width=stroke)
    pad = math.ceil(stroke / scale) + 2
    wide, tall = math.ceil(right / scale) + 2 * pad, math.ceil(bottom / scale) + 2 * pad
    mask = Image.new("L", (wide * scale, tall * scale))
    ImageDraw.Draw(mask).text((pad * scale, pad * scale), line, 255, face, stroke_width=stroke)
    canvas.stamp(mask.reduce(scale), (round(corner[0]) - pad, round(corner[1]) - pad), color)


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
