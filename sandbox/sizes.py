"""Which sizes are drawn, and the sentence for the rule that another one breaks."""

import re
from typing import Final

from sandbox import errors
from sandbox.job import Size

_SIZE: Final = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_MIN_PIXELS: Final = 655_360
_MAX_PIXELS: Final = 8_294_400
_MAX_EDGE: Final = 3840
# The notes that name a floor for gifs also saw 13 to 16 frames of 720x720, which lie below it.
_FRAMES_BELOW_THE_FLOOR: Final = 12


def checked(text: str | None, prompt: str, frames: int) -> Size:
    """Return the size that a request asks for; raises ``ApiError``. Stills have one frame."""
    if text is None or text == "auto":
        return Size(960, 960) if frames > 1 else _auto_size(prompt)
    match = _SIZE.fullmatch(text)
    if match is None:
        raise errors.bad_size(text, "Expected WIDTHxHEIGHT, for example '1824x1024'.")
    size = Size(int(match[1]), int(match[2]))
    least = 0 if frames > _FRAMES_BELOW_THE_FLOOR else _MIN_PIXELS
    reason = broken_size_rule(size, least) or broken_gif_rule(size, frames)
    if reason is not None:
        raise errors.bad_size(text, reason)
    return size


def broken_size_rule(size: Size, least: int = _MIN_PIXELS) -> str | None:
    """Return the sentence for the first rule of OpenAI's image guide that a size breaks.

    The sentence about 3:1 is ours: nobody published the real one.
    """
    short, long = sorted(size)
    if size.width % 16 or size.height % 16:
        return "Width and height must both be divisible by 16."
    if long > _MAX_EDGE:
        return f"The longest edge must be less than or equal to {_MAX_EDGE}."
    if long > 3 * short:
        return "The ratio of the longest to the shortest edge must not exceed 3:1."
    if short * long < least:
        return "Requested resolution is below the current minimum pixel budget."
    if short * long > _MAX_PIXELS:
        return "Requested resolution exceeds the current pixel budget."
    return None


def sheet(size: Size, frames: int) -> Size:
    """Return the size of the sheet on which a gif's frames lie: three columns, or four from 10 on.

    Live notes of 2026-11-09 give the largest squares: 960 for 2 to 9 frames, 816 for 10 to 12 and
    720 for 13 to 16. A sheet of the usual bounds explains all three, but for rows left empty.
    """
    columns = 3 if frames <= 9 else 4
    rows = 3 if frames <= 12 else 4
    return Size(size.width * columns, size.height * rows)


def broken_gif_rule(size: Size, frames: int) -> str | None:
    """Return the sentence for frames that are too large together. The words are ours."""
    if frames == 1:
        return None
    whole = sheet(size, frames)
    if max(whole) > _MAX_EDGE or whole.width * whole.height > _MAX_PIXELS:
        return f"Requested resolution exceeds the current GIF budget for {frames} frames."
    return None


def _auto_size(prompt: str) -> Size:
    """Pick a size as the model would: by the prompt, else the odd 1254x1254 seen live."""
    words = prompt.lower()
    if "portrait" in words:
        return Size(1024, 1536)
    if "landscape" in words:
        return Size(1536, 1024)
    return Size(1254, 1254)
