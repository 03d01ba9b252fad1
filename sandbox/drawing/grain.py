"""Film grain, which gives files the weight of real ones."""

import random

from PIL import Image

_STRENGTH = 0.05


def with_grain(image: Image.Image, dice: random.Random) -> Image.Image:
    """Return the image under faint noise, its alpha unchanged."""
    noise = Image.frombytes("RGB", image.size, dice.randbytes(3 * image.width * image.height))
    grained = Image.blend(image.convert("RGB"), noise, _STRENGTH)
    if image.mode == "RGBA":
        grained.putalpha(image.getchannel("A"))
    return grained
