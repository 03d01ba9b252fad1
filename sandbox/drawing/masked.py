"""An edit under a mask: the first image as it was, and art where the mask is transparent."""

import random

from PIL import Image, ImageOps

from sandbox.drawing import art
from sandbox.drawing.palette import Palette

_LEAST = 96  # pixels; smaller panels have no room for their shapes


def masked(
    first: Image.Image,
    mask: Image.Image,
    size: tuple[int, int],
    step: int,
    colors: Palette,
    dice: random.Random,
) -> Image.Image:
    """Return the first image in the asked size, changed nowhere but where the mask lets it.

    The real model is guided by a mask and keeps what it protects roughly; here it is kept to the
    pixel, so that a test can tell.
    """
    kept = ImageOps.exif_transpose(first).convert("RGBA")
    protects = mask.convert("RGBA").getchannel("A")
    if kept.size != size:
        kept = kept.resize(size, Image.Resampling.LANCZOS)
    if protects.size != size:
        protects = protects.resize(size, Image.Resampling.NEAREST)
    changed = kept.copy()
    if hole := protects.point(lambda alpha: 0 if alpha == 255 else 255).getbbox():
        wide, tall = hole[2] - hole[0], hole[3] - hole[1]
        panel = art.paint((max(wide, _LEAST), max(tall, _LEAST)), step, colors, dice)
        changed.paste(panel.resize((wide, tall)), hole[:2])
    return Image.composite(kept, changed, protects)
