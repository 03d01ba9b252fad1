"""Setting text: characters that a font has, sizes that fit, lines on the canvas."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from sandbox.drawing.canvas import Canvas
from sandbox.drawing.fonts import AILERON, NO_GLYPH, ems, file_for, font, joins, runs
from sandbox.drawing.lines import balanced, broken, is_wide, pieces, wrapped
from sandbox.drawing.palette import Color

_DASHES: Final = dict.fromkeys(range(0x2010, 0x2016), "-")
_LIGATURES: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_MOST_WORDS: Final = 220
_MOST_CHARACTERS: Final = 1_500
_FINE: Final = 96  # pixels from which on hinting changes widths by less than a percent
_LINE: Final = 1.2  # ems from the font's ascent to its descent
_WORTH_A_LINE: Final = 0.76


def printable(text: str) -> str:
    """Return the text in characters that can be drawn, with a box for each that no font has.

    Of a long text only the beginning is looked at, twice as much as a poster can hold.
    """
    plain = text[: 2 * _MOST_CHARACTERS].translate(_DASHES | _LIGATURES)
    kept: list[str] = []
    for character in plain:
        follows = joins(character) and kept and file_for(kept[-1]) != AILERON
        kept.append(character if follows else _drawable(character))
    return " ".join("".join(kept).split())


def _drawable(character: str) -> str:
    """Return a character, its Latin letter without the accent, a box, a space or nothing."""
    if file_for(character) == AILERON:
        return character
    letter = unicodedata.normalize("NFKD", character)[:1]
    if letter.isascii() and not is_wide(character):
        return letter if letter.isprintable() else " "
    category = unicodedata.category(character)
    if category[0] in "CMZ":
        return "" if category == "Cf" else " "
    return character if file_for(character) else NO_GLYPH


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
    parts = broken(pieces(text), width / smallest)
    sizes = range(round(smallest), max(round(largest), round(smallest)) + 1)
    size = _largest_size(parts, sizes, width, height, leading)
    lines = balanced(parts, width / size)
    fewer = _largest_size(parts, sizes, width, height, leading, most=len(lines) - 1)
    if few_lines and len(lines) > 2 and fewer > _WORTH_A_LINE * size:
        size, lines = fewer, balanced(parts, width / fewer)
    room = max(1, int((height / size - _LINE) / leading) + 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1].rstrip(" ,.;:…") + "…"]
    return Block(tuple(lines), size, leading, weight)


def _largest_size(
    parts: list[str], sizes: range, width: float, height: float, leading: float, most: int = 1000
) -> int:
    """Return the largest size at which at most ``most`` lines fit, or the smallest there is."""
    low, high = sizes[0], sizes[-1]
    while low < high:
        size = (low + high + 1) // 2
        lines = wrapped(parts, width / size)
        tall = size * (_LINE + leading * (len(lines) - 1))
        wide = max((ems(line) for line in lines), default=0) * size
        if len(lines) <= most and tall <= height and wide <= width:
            low = size
        else:
            high = size - 1
    return low


def set_block(
    canvas: Canvas, block: Block, corner: tuple[float, float], color: Color, *, center: float = 0
) -> None:
    """Draw a block with its top left at ``corner``, or centred in ``center`` pixels of width."""
    for index, line in enumerate(block.lines):
        indent = (center - ems(line) * block.size) / 2 if center else 0
        top = corner[1] + index * block.leading * block.size
        _draw_line(canvas, line, block, (corner[0] + indent, top), color)


def _draw_line(
    canvas: Canvas, line: str, block: Block, corner: tuple[float, float], color: Color
) -> None:
    # Hinting makes small letters wider than the reference says: draw them larger, and shrink.
    scale = math.ceil(_FINE / block.size)
    size, stroke = block.size * scale, block.size * scale * block.weight
    base = font(size).getmetrics()[0]
    left = right = top = bottom = 0.0
    placed = []
    for file, part in runs(line):
        face = font(size, file)
        _, above, end, below = face.getbbox(part, stroke_width=stroke, anchor="ls")
        placed.append((round(left), part, face))
        right, top, bottom = max(right, left + end), min(top, base + above), max(bottom, below)
        left += face.getlength(part)
    pad = math.ceil(stroke / scale) + 2
    head = math.ceil(-top / scale)  # some scripts stand taller than Latin
    wide = math.ceil(right / scale) + 2 * pad
    tall = head + math.ceil((base + bottom) / scale) + 2 * pad
    mask = Image.new("L", (wide * scale, tall * scale))
    pen, line_at = ImageDraw.Draw(mask), (pad + head) * scale + base
    for start, part, face in placed:
        at = (pad * scale + start, line_at)
        pen.text(at, part, 255, face, anchor="ls", stroke_width=stroke)
    canvas.stamp(mask.reduce(scale), (round(corner[0]) - pad, round(corner[1]) - pad - head), color)


def spaced(
    canvas: Canvas, text: str, corner: tuple[float, float], size: float, color: Color
) -> None:
    """Draw one line of small capitals with wide gaps between its letters."""
    left, gap = corner[0], size * 0.16
    for letter in text.upper():
        block = Block((letter,), round(size), 1, 0.02)
        if letter != " ":
            set_block(canvas, block, (left, corner[1]), color)
        left += ems(letter) * round(size) + gap


def spaced_width(text: str, size: float) -> float:
    """Return the width in pixels of a line of :func:`spaced`."""
    return sum(ems(letter) * round(size) + size * 0.16 for letter in text.upper())
