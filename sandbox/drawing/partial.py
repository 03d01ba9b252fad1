"""A picture on its way: coarse first, then finer."""

from PIL import Image

_COARSEST = 48


def unfinished(picture: Image.Image, count: int) -> list[Image.Image]:
    """Return so many unfinished states of a picture, each finer than the one before."""
    return [_coarse(picture, _COARSEST >> (2 * index)) for index in range(count)]


def _coarse(picture: Image.Image, step: int) -> Image.Image:
    small = picture.reduce(max(2, step))
    return small.resize(picture.size, Image.Resampling.BILINEAR)
