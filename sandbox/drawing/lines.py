"""Breaking text into lines: between words, and anywhere in scripts that have no spaces."""

import unicodedata

from sandbox.drawing.fonts import ZERO_WIDTH_JOINER, ems, joins


def is_wide(character: str) -> bool:
    """Tell whether a character fills a square and needs no space after it: no Hangul does."""
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return wide and not unicodedata.name(character, "").startswith("HANGUL")


def pieces(text: str) -> list[str]:
    """Split text where a line may end; a piece that begins a word begins with its space."""
    split: list[str] = []
    for word in text.split():
        lead, previous = " " if split else "", ""
        for character in word:
            if not previous:
                split.append(lead + character)
            elif _may_break(previous, character):
                split.append(character)
            else:
                split[-1] += character
            previous = character
    return split


def _may_break(before: str, after: str) -> bool:
    """Tell whether a line may end between two characters of a word.

    Closing signs start no line and opening ones end none, as Chinese and Japanese have it.
    """
    if joins(after) or before == ZERO_WIDTH_JOINER:
        return False
    if unicodedata.category(after) in ("Pe", "Pf", "Po") or after == "ー":
        return False
    if unicodedata.category(before) in ("Ps", "Pi"):
        return False
    return is_wide(before) or is_wide(after)


def broken(parts: list[str], width: float) -> list[str]:
    """Break pieces that are wider than a line of ``width`` ems."""
    small: list[str] = []
    for part in parts:
        rest = part.lstrip()
        lead = part[: len(part) - len(rest)]
        while ems(rest) > width and len(rest) > 1:
            most = max(1, int(len(rest) * width / ems(rest)) - 1)
            small.append(lead + rest[:most])
            lead, rest = "", rest[most:]
        small.append(lead + rest)
    return small


def wrapped(parts: list[str], width: float) -> list[str]:
    """Fill lines of ``width`` ems."""
    space = ems(" ")
    lines: list[str] = []
    used = 0.0
    for part in parts:
        word = part.lstrip()
        gap, wide = space * (len(part) - len(word)), ems(word)
        if lines and used + gap + wide <= width:
            lines[-1] += part
            used += gap + wide
        else:
            lines.append(word)
            used = wide
    return lines


def balanced(parts: list[str], width: float) -> list[str]:
    """Wrap to the narrowest width that needs no more lines than the full one."""
    best = wrapped(parts, width)
    low, high = width / 3, width
    for _ in range(12):
        middle = (low + high) / 2
        lines = wrapped(parts, middle)
        fits = all(ems(line) <= middle for line in lines)
        if fits and len(lines) <= len(best):
            best, high = lines, middle
        else:
            low = middle
    return best
