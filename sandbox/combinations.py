"""Rules across fields: what a format cannot be combined with."""

from typing import Final

from sandbox import errors
from sandbox.fields import Fields

_GIF_FRAMES: Final = 9
_GIF_FRAME_MS: Final = 200
_LONGEST_FRAME_MS: Final = 655_350
_MOVING_OR_DRAWN: Final = ("gif", "svg")


def frames(fields: Fields, output_format: str) -> tuple[int, int]:
    """Return the number of frames and the milliseconds of each; a still has one of none."""
    count = fields.integer("frame_count", 2, 16)
    duration = fields.integer("frame_duration_ms", 0, 10_000_000)
    if output_format != "gif":
        for name, value in (("frame_count", count), ("frame_duration_ms", duration)):
            if value is not None:
                raise errors.only_for_gif(name)
        return 1, 0
    wanted = _GIF_FRAME_MS if duration is None else duration
    return count or _GIF_FRAMES, min(_LONGEST_FRAME_MS, 10 * ((wanted + 5) // 10))


def check(
    output_format: str,
    *,
    background: str,
    compression: int | None,
    n: int,
    has_mask: bool,
    streams: bool,
) -> None:
    """Raise ``ApiError`` for the first rule that is broken."""
    compressed = compression is not None and compression < 100
    if output_format == "png" and compressed:
        raise errors.png_compression()
    if output_format == "jpeg" and background == "transparent":
        raise errors.transparent_jpeg()
    if output_format not in _MOVING_OR_DRAWN:
        return
    if compressed:
        raise errors.not_with_format("output_compression", output_format)
    if streams:
        raise errors.not_with_format("stream", output_format)
    if has_mask and output_format == "gif":
        raise errors.not_with_format("mask", output_format)
    if n > 1 and output_format == "svg":
        raise errors.not_with_format("n", output_format)
