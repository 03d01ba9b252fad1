"""Film grain, which gives files the weight of real ones."""

import random

from PIL import Image

_TILE = 256
_STRENGTH = 0.05


def with_grain(image: Image.Image, dice: random.Random) -> Image.Image:
    """Return the image under faint noise, its alpha unchanged."""
    tile = Image.frombytes("RGB", (_TILE, _TILE), dice.randbytes(3 * _TILE * _TILE))
    noise = Image.new("RGB", image.size)
    for top in range(0, image.height, _TILE):
        for left in range(0, image.width, _TILE):
            noise.paste(tile, (left, top))
    grained = Image.blend(image.convert("RGB"), noise, _STRENGTH)
    if image.mode == "RGBA":
        grained.putalpha(image.getchannel("A"))
    return grained
