"""Colours that go together, from the words of a prompt.

Colours are mixed in OKLCH (Björn Ottosson's Oklab in polar form), where equal lightness looks
equally light, so that text stays readable on every hue.
"""

import math
import random
import re
from dataclasses import dataclass
from typing import Final

Color = tuple[int, int, int]

_HUES: Final = {
    "red": 25, "rose": 10, "cherry": 15, "fire": 35, "sunset": 40, "autumn": 50, "orange": 55,
    "fox": 50, "desert": 65, "coffee": 60, "gold": 85, "golden": 85, "honey": 85, "sun": 90,
    "yellow": 100, "lemon": 105, "lime": 125, "forest": 145, "green": 145, "garden": 140,
    "jungle": 150, "mint": 165, "teal": 190, "turquoise": 195, "sea": 225, "ocean": 235,
    "lake": 225, "winter": 235, "snow": 235, "ice": 220, "sky": 240, "blue": 255, "rain": 250,
    "midnight": 275, "night": 275, "space": 285, "galaxy": 295, "violet": 300, "purple": 310,
    "lavender": 300, "magenta": 340, "pink": 355, "flamingo": 5,
}  # fmt: skip
_ACCENTS: Final = ((35, 180, -40), (150, 60, -25), (25, -70, 195), (120, 240, 40))


@dataclass(frozen=True)
class Palette:
    """A poster's colours: the paper and its text, then an art panel's ground and shapes."""

    paper: Color
    ink: Color
    soft: Color
    ground: Color
    glow: Color
    shapes: tuple[Color, Color, Color, Color]


def oklch(lightness: float, chroma: float, hue: float) -> Color:
    """Return the sRGB colour; lightness 0 to 1, chroma about 0 to 0.3, hue in degrees."""
    angle = math.radians(hue)
    a, b = chroma * math.cos(angle), chroma * math.sin(angle)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _channel(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _channel(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _channel(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _channel(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    encoded = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * encoded)


def base_hue(prompt: str, dice: random.Random) -> float:
    """Return the hue of the first word that has one, else a random one."""
    for word in re.findall(r"[a-z]+", prompt.lower()):
        if word in _HUES:
            return _HUES[word] + dice.uniform(-6, 6)
    return dice.uniform(0, 360)


def palette(hue: float, tone: int, dice: random.Random) -> Palette:
    """Return one of four tones on a hue: paper, night, pastel or bold."""
    accents = [hue + turn for turn in dice.choice(_ACCENTS)]
    shapes = (
        oklch(0.66, 0.17, accents[0]),
        oklch(0.80, 0.13, accents[1]),
        oklch(0.50, 0.14, accents[2]),
        oklch(0.93, 0.05, hue + 40),
    )
    dark, light = oklch(0.25, 0.05, hue), oklch(0.965, 0.018, hue)
    deep, mist = oklch(0.36, 0.09, hue), oklch(0.87, 0.07, hue)
    tones = (
        (light, dark, oklch(0.50, 0.06, hue), deep, oklch(0.58, 0.15, hue)),
        (oklch(0.21, 0.045, hue), light, oklch(0.76, 0.06, hue), deep, oklch(0.60, 0.16, hue)),
        (mist, dark, oklch(0.42, 0.07, hue), light, oklch(0.90, 0.07, accents[0])),
        (oklch(0.45, 0.13, hue), light, oklch(0.87, 0.07, hue), mist, oklch(0.93, 0.05, hue + 60)),
    )
    return Palette(*tones[tone % len(tones)], shapes)
