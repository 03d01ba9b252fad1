"""The words on a poster: a small line, the title, the rest of the prompt, the mark."""

import re
from itertools import accumulate
from typing import Final

from sandbox.drawing.canvas import Canvas
from sandbox.drawing.layout import Layout
from sandbox.drawing.lines import is_wide, pieces
from sandbox.drawing.palette import Palette
from sandbox.drawing.typography import abridged, fit, set_block, spaced, spaced_width

MARK: Final = "sandbox"
_TITLE_WORDS: Final = 10
_WIDE_STOPS: Final = "\uff0c\u3002\uff1b\uff1a\uff01\uff1f\u3001"  # of Chinese and Japanese
_TITLE_WEIGHT: Final = 0.018


def split_title(text: str) -> tuple[str, str]:
    """Return the title, which is the first clause or ten words at most, and the rest.

    Two characters of a script without spaces count as a word.
    """
    parts = pieces(text)
    words = list(accumulate(0.5 if is_wide(part[-1]) else 1 for part in parts))
    if not words or words[-1] <= _TITLE_WORDS + 2:
        return text, ""
    head = "".join(part for part, count in zip(parts, words, strict=True) if count <= _TITLE_WORDS)
    clause = re.match(rf".{{8,}}?(?=[.,;:!?](\s|$)|[{_WIDE_STOPS}])", head)
    if clause:
        rest = text[clause.end() :].lstrip(f" .,;:!?{_WIDE_STOPS}")
        return clause[0], rest[:1].upper() + rest[1:]
    return head + "…", "…" + text[len(head) :].lstrip()


def write(
    canvas: Canvas, text: str, layout: Layout, colors: Palette, *, kicker: str, plate: bool
) -> None:
    """Write the words into the layout's text area, on a plate where there is no paper."""
    area, small = layout.text, max(11.0, canvas.short * 0.0165)
    title, body = split_title(abridged(text))
    head = small * 2.9
    room = area.height - head
    title_block = fit(
        title,
        area.width,
        room * (0.58 if body else 1.0),
        canvas.short * 0.17,
        canvas.short * 0.026,
        leading=1.06,
        weight=_TITLE_WEIGHT,
        few_lines=True,
    )
    gap = title_block.size * 0.55
    body_block = fit(
        body,
        area.width,
        max(small, room - title_block.height - gap),
        min(title_block.size * 0.42, canvas.short * 0.034),
        small,
        leading=1.38,
    )
    if plate:
        words = title_block.height + (gap + body_block.height if body else 0)
        tall = head + words if title else small * 1.25
        edge = layout.margin * 0.55
        box = (area.left - edge, area.top - edge, area.left + area.width + edge)
        canvas.rounded((*box, area.top + tall + edge), canvas.short * 0.018, colors.paper)
    _kicker(canvas, kicker, (area.left, area.top), small, colors)
    top = area.top + head
    set_block(canvas, title_block, (area.left, top), colors.ink)
    if body:
        below = top + title_block.height + gap
        set_block(canvas, body_block, (area.left, below), colors.soft)
    _mark(canvas, layout, small, colors)


def _kicker(
    canvas: Canvas, text: str, corner: tuple[float, float], size: float, colors: Palette
) -> None:
    bar = size * 2.2
    middle = corner[1] + size * 0.62
    box = (corner[0], middle - size * 0.12, corner[0] + bar, middle + size * 0.12)
    canvas.rounded(box, size * 0.12, colors.shapes[0])
    spaced(canvas, text, (corner[0] + bar + size, corner[1]), size, colors.soft)


def _mark(canvas: Canvas, layout: Layout, size: float, colors: Palette) -> None:
    """Say in the corner where the picture comes from, on a tag of paper."""
    size *= 0.86
    wide, pad = spaced_width(MARK, size), size * 0.7
    right = canvas.width - layout.margin * 0.45
    bottom = canvas.height - layout.margin * 0.36
    left, top = right - wide - 2 * pad, bottom - size * 1.25 - pad
    canvas.rounded((left, top, right, bottom), (bottom - top) / 2, colors.paper)
    spaced(canvas, MARK, (left + pad, top + pad * 0.42), size, colors.soft)
