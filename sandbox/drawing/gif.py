"""A picture that moves: the camera goes slowly nearer, and starts again."""

import io

from PIL import Image

_NEAREST = 0.12


def encode_gif(picture: Image.Image, frames: int, frame_ms: int) -> bytes:
    """Return a gif of so many frames that runs for ever."""
    # No frame is the same as the one before it, or Pillow would make one of two.
    shots = [_shot(picture, _NEAREST * n / frames) for n in range(frames)]
    # One palette for all of them, or the colours would flicker.
    palette = shots[0].quantize(128)
    first, *others = (shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots)
    file = io.BytesIO()
    first.save(
        file, "GIF", save_all=True, append_images=others, duration=frame_ms, loop=0, optimize=False
    )
    return file.getvalue()


def _shot(picture: Image.Image, nearer: float) -> Image.Image:
    wide, tall = picture.width * nearer / 2, picture.height * nearer / 2
    box = (wide, tall, picture.width - wide, picture.height - tall)
    return picture.convert("RGB").resize(picture.size, Image.Resampling.BILINEAR, box=box)
