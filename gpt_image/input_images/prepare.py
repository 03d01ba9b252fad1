"""Input files to upload parts: refused with a reason, passed through untouched, or re-encoded.

docs/images.md shows what becomes of each kind.
"""

import logging
import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from cog import Path
from cog.types import URLPath

from gpt_image import image_structure
from gpt_image.conversion import process as conversion
from gpt_image.conversion.convert import MAX_BYTES, MAX_PIXELS, Task
from gpt_image.errors import InvalidInput
from gpt_image.image_structure import Damaged
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)

MAX_IMAGES = 16
"""As OpenAI documents for /images/edits."""

MAX_FILE_BYTES = 400_000_000
"""What is looked at before re-encoding: MAX_PIXELS of an uncompressed 8-bit RGB image fit."""

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}

_DOCUMENTS = {
    "SVG": "is an SVG drawing; render it to PNG first and send that",
    "PDF": "is a PDF document; render the page to PNG first and send that",
    "HTML": "is a web page, not an image; check that the link leads to the image itself",
}


@dataclass(frozen=True)
class InputImage:
    """One upload part. It never holds the bytes, so that the upload streams from disk."""

    path: pathlib.Path
    """The caller's file where it passes through untouched, else a file in the scratch folder."""
    name: str
    """ASCII, made from the image's number: the caller's file name is not passed on."""
    content_type: str
    """By magic bytes: image/png, image/jpeg or image/webp."""


@dataclass(frozen=True)
class _Examined:
    number: int
    path: pathlib.Path
    kind: str
    content_type: str
    task: Task | None
    """What convert.py has to do, None where the file is sent untouched."""


async def check_paths(input_images: Sequence[object]) -> tuple[pathlib.Path, ...]:
    """Let only files through that Cog downloaded; opens nothing.

    Cog hands over plain strings, such as local paths and file: URLs, as they came, and leaves the
    URLs in such a list unconverted. Raises InvalidInput, which names the entry by its number and
    never repeats it, since it may hold credentials or a path of this machine.
    """
    if len(input_images) > MAX_IMAGES:
        raise InvalidInput(
            f"gpt-image-2 takes at most {MAX_IMAGES} input images and {len(input_images)} were "
            "given; leave some out."
        )
    foreign = [n for n, entry in enumerate(input_images, 1) if not isinstance(entry, Path)]
    # A URL stays unconverted because of another entry, and that one is to be named.
    culprits = [n for n in foreign if not isinstance(input_images[n - 1], URLPath)] or foreign
    if culprits:
        raise _refusal(
            culprits[0],
            "is not a file that Cog downloaded; give every input image as a URL that starts "
            "with http:// or https://, or as a data: URI",
        )
    paths = tuple(pathlib.Path(str(entry)) for entry in input_images)
    if paths:
        await in_thread(_check_files, paths)
    return paths


def _check_files(paths: Sequence[pathlib.Path]) -> None:
    for number, path in enumerate(paths, start=1):
        if not path.is_file():
            raise _refusal(number, "could not be found as a file after its download; send it again")


async def prepare(paths: Sequence[pathlib.Path], scratch: pathlib.Path) -> list[InputImage]:
    """Make each file ready for upload, in order.

    What has to be re-encoded goes to `scratch`, an existing folder, as input-1.png and so on;
    nothing writes there any more once this has returned, raised or been cancelled. Raises
    InvalidInput, which names the image: before any image is decoded, if its header tells.
    """
    examined = await in_thread(_examine_all, paths) if paths else []
    # One conversion at a time, so that a prediction with sixteen images leaves room for others.
    return [
        _untouched(image) if image.task is None else await _converted(image, image.task, scratch)
        for image in examined
    ]


def _examine_all(paths: Sequence[pathlib.Path]) -> list[_Examined]:
    return [_examine(number, path) for number, path in enumerate(paths, start=1)]


def _examine(number: int, path: pathlib.Path) -> _Examined:
    """Read the first and last bytes of a file and decide what is to be done with it."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(image_structure.START)
            kind = _kind(number, size, start)
            structure = image_structure.read(file, size, kind)
    except OSError:
        raise _refusal(number, "cannot be read from disk; send it again") from None
    except Damaged:
        raise _damaged(number, kind) from None
    if structure is None:
        return _Examined(number, path, kind, "", Task.CONVERT)
    if structure.width * structure.height > MAX_PIXELS:
        raise _too_many_pixels(number)
    task = None if structure.plain and size < MAX_BYTES else Task.CONVERT
    if task is None and not structure.has_end:
        task = Task.CHECK_END
    return _Examined(number, path, kind, structure.content_type, task)


def _kind(number: int, size: int, start: bytes) -> str:
    if size == 0:
        raise _refusal(number, "is empty (0 bytes); check the link or the data: URI")
    kind = image_structure.kind_of(start)
    if kind is None:
        document = image_structure.document_of(start)
        raise _refusal(
            number,
            _DOCUMENTS[document]
            if document
            else "is not an image that can be read here; send PNG, JPEG, WebP, HEIC, AVIF, GIF, "
            "TIFF, BMP, JPEG 2000 or ICO",
        )
    if size > MAX_FILE_BYTES:
        raise _refusal(
            number, f"is larger than {MAX_FILE_BYTES // 1_000_000} MB; send a smaller file"
        )
    return kind


def _untouched(image: _Examined) -> InputImage:
    return _part(image.number, image.path, image.content_type)


def _part(number: int, path: pathlib.Path, content_type: str) -> InputImage:
    return InputImage(path, f"image-{number}{_SUFFIXES[content_type]}", content_type)


async def _converted(image: _Examined, task: Task, scratch: pathlib.Path) -> InputImage:
    report = await conversion.run(task, image.path, scratch / f"input-{image.number}")
    if report is None:
        raise _refusal(
            image.number,
            f"({image.kind}) could not be converted; send it as PNG, JPEG or WebP",
        )
    if report.too_many_pixels:
        raise _too_many_pixels(image.number)
    if report.path is None:
        raise _damaged(image.number, image.kind)
    if report.note:
        log.info("Input image %d %s.", image.number, report.note)
    return _part(image.number, pathlib.Path(report.path), report.content_type)


def _damaged(number: int, kind: str) -> InvalidInput:
    return _refusal(number, f"({kind}) is damaged or cut short; send the whole file again")


def _too_many_pixels(number: int) -> InvalidInput:
    limit = MAX_PIXELS // 1_000_000
    return _refusal(number, f"has more than {limit} million pixels; scale it down first")


def _refusal(number: int, reason: str) -> InvalidInput:
    return InvalidInput(f"Input image {number} {reason}.")
