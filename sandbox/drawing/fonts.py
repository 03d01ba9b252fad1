"""Which font has which character: Aileron for plain Latin, Noto for everything else.

Aileron comes inside Pillow. The Noto fonts come from two packages of font files alone,
``manimgx-fonts`` and ``manimgx-fonts-cjk`` (SIL Open Font License 1.1).
"""

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from PIL import ImageFont

AILERON: Final = ""
NO_GLYPH: Final = "□"
"""What stands for a character that no font has."""

ZERO_WIDTH_JOINER: Final = "\u200d"
_QUOTES: Final = frozenset(map(chr, (*range(0x2018, 0x201E), 0xAB, 0xBB, 0x2039, 0x203A)))
_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) | _QUOTES | frozenset("©°±·…™")
_SKIN_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_TAGS: Final = frozenset(map(chr, range(0xE0020, 0xE0080)))  # the flags of Scotland and the like
_FIRST: Final = ("NotoSans[", "NotoEmoji", "NotoSansCJK")
_WEIGHT: Final = 450
_TEST_SIZE: Final = 20
_UNASSIGNED: Final = "\U0010ffff"
_REFERENCE: Final = 128


@lru_cache(maxsize=128)
def font(size: int, file: str = AILERON) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels."""
    if file != AILERON:
        noto = ImageFont.truetype(file, size)
        noto.set_variation_by_axes([_WEIGHT])
        return noto
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install a wheel from PyPI.")
    return loaded


@lru_cache(maxsize=8192)
def file_for(character: str) -> str | None:
    """Return the file of the first font that has a character, ``None`` where none does."""
    if character in _PLAIN:
        return AILERON
    return next((file for file in _noto_files() if _has(file, character)), None)


@cache
def _noto_files() -> tuple[str, ...]:
    """Return the fonts to try, those with the most characters first."""
    folders = (files("manimgx_fonts"), files("manimgx_fonts_cjk"))
    names = {each.name: str(each) for folder in folders for each in folder.iterdir()}
    fonts = [name for name in names if name.endswith((".ttf", ".ttc")) and "Italic" not in name]
    first = [name for start in _FIRST for name in fonts if name.startswith(start)]
    return tuple(names[name] for name in (*first, *sorted({*fonts} - {*first})))


def _has(file: str, character: str) -> bool:
    """Tell whether a font draws a character other than it draws one that does not exist."""
    return _drawn(file, character) != _drawn(file, _UNASSIGNED)


def _drawn(file: str, character: str) -> bytes:
    return bytes(_unshaped(file).getmask(character))


@cache
def _unshaped(file: str) -> ImageFont.FreeTypeFont:
    """Return a font without shaping, which makes two missing glyphs of one in some scripts."""
    return ImageFont.truetype(file, _TEST_SIZE, layout_engine=ImageFont.Layout.BASIC)


def joins(character: str) -> bool:
    """Tell whether a character belongs to the one before it, as accents and skin tones do."""
    return (
        unicodedata.category(character).startswith("M")
        or character == ZERO_WIDTH_JOINER
        or character in _SKIN_TONES
        or character in _TAGS
    )


def runs(text: str) -> list[tuple[str, str]]:
    """Split text into pieces of one font each.

    In scripts that run from right to left a space stays with the word before it: words that are
    drawn apart from each other would stand in the wrong order.
    """
    split: list[tuple[str, str]] = []
    for character in text:
        if split and (joins(character) or (character == " " and _leftwards(split[-1][1]))):
            file = split[-1][0]
        else:
            file = file_for(character) or AILERON
        if split and split[-1][0] == file:
            split[-1] = (file, split[-1][1] + character)
        else:
            split.append((file, character))
    return split


def _leftwards(part: str) -> bool:
    return any(unicodedata.bidirectional(each) in ("R", "AL") for each in part)


@lru_cache(maxsize=4096)
def ems(text: str) -> float:
    """Return the width of text in ems."""
    wide = sum(font(_REFERENCE, file).getlength(part) for file, part in runs(text))
    return wide / _REFERENCE
