"""What a conversion is asked and what it answers, without Pillow: the predictor never loads it."""

from dataclasses import dataclass
from enum import StrEnum

from gpt_image.image_limits import MAX_PIXELS

MEMORY_LIMIT = 3_000_000_000
"""Bytes of address space for one conversion."""


class OverlayKind(StrEnum):
    """What can lie over the first input image."""

    MASK = "mask"
    """Transparent where the picture may change."""
    MARKUP = "markup"
    """Marks on a transparent ground."""


class Task(StrEnum):
    """What to do with the first file; the others come as further arguments."""

    PREPARE = "prepare"
    """Any image to one that the API takes."""
    CHECK_END = "check-end"
    """Decide whether a JPEG without its end mark in sight is whole."""
    LAY_OVER = "lay-over"
    """A mask or a markup to one that fits the first input image."""
    FINISH = "finish"
    """A received image to one of the promised format."""
    FIND_ALPHA = "find-alpha"
    """Look for a pixel that is not opaque."""


@dataclass(frozen=True)
class Prepared:
    """What to send for an input image."""

    path: str
    content_type: str
    note: str = ""
    """What the caller should know of the change, to follow "Input image 1"."""


@dataclass(frozen=True)
class LaidOver:
    """What to send for a mask or a markup."""

    path: str
    note: str = ""
    """What was done to it, as a sentence."""
    problem: str = ""
    """Why it cannot be sent, to follow "The mask"."""
    first: Prepared | None = None
    """What to send in place of the first input image."""
    note_on_first: str = ""


@dataclass(frozen=True)
class Finished:
    """What an output image was; the file of the promised format is written."""

    format: str
    width: int
    height: int


class NotConverted(Exception):
    """The image is to blame; `str()` follows "image 1"."""


class Damaged(NotConverted):
    """No picture can be decoded from it."""

    def __init__(self) -> None:
        super().__init__("is damaged")


class TooManyPixels(NotConverted):
    def __init__(self) -> None:
        super().__init__(f"has more than {MAX_PIXELS // 1_000_000} million pixels")


class TooMuchMemory(NotConverted):
    def __init__(self) -> None:
        super().__init__(f"takes more than {MEMORY_LIMIT // 1_000_000_000} GB of memory to convert")


class NotEncoded(NotConverted):
    def __init__(self) -> None:
        super().__init__("does not fit into a file of the promised format")


FAILURES = {kind.__name__: kind for kind in (Damaged, TooManyPixels, TooMuchMemory, NotEncoded)}
"""By the names that a conversion's process reports them by."""
