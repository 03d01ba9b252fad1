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
from gpt_image.conversion.process import Conversions
from gpt_image.conversion.reports import Damaged as DamagedPixels
from gpt_image.conversion.reports import NotConverted, Task, TooManyPixels
from gpt_image.errors import InvalidInput, MachineFault
from gpt_image.image_limits import MAX_PIXELS, MAX_UPLOAD_BYTES
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
    part: str = "image"
    """The parameter that it is sent as: image, mask or markup."""


@dataclass(frozen=True)
class _Examined:
    number: int
    path: pathlib.Path
    kind: str
    content_type: str
    task: Task | None
    """What a conversion has to do, None where the file is sent untouched."""


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

    What has to be re-encoded goes to `scratch`, a folder that is made if it is needed, as
    input-1.png and so on; nothing writes there any more once this has returned, raised or been
    cancelled.

    Raises:
        InvalidInput: names the image; before any image is decoded, if its header tells.
        MachineFault: this machine lacks what a conversion takes.
    """
    if not paths:
        return []
    conversions = Conversions()
    examined = await in_thread(_examine_all, paths, scratch)
    # One after the other, so that a prediction with sixteen images leaves room for others.
    return [
        _untouched(image)
        if image.task is None
        else await _converted(conversions, image, image.task, scratch)
        for image in examined
    ]


def _examine_all(paths: Sequence[pathlib.Path], scratch: pathlib.Path) -> list[_Examined]:
    examined = [_examine(number, path) for number, path in enumerate(paths, start=1)]
    if any(image.task for image in examined):
        try:
            scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _machine_fault("The input images", error) from None
    return examined


def _examine(number: int, path: pathlib.Path) -> _Examined:
    """Read the first and last bytes of a file and decide what is to be done with it."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(image_structure.START)
            kind = _kind(number, size, start)
            structure = image_structure.read(file, size, kind)
    except FileNotFoundError:
        raise _refusal(number, "is not there any more; send it again") from None
    except OSError as error:
        raise _machine_fault(f"Input image {number}", error) from None
    except Damaged:
        raise _damaged(number, kind) from None
    if structure is None:
        return _Examined(number, path, kind, "", Task.PREPARE)
    if structure.width * structure.height > MAX_PIXELS:
        raise _too_many_pixels(number)
    task = None if structure.plain and size < MAX_UPLOAD_BYTES else Task.PREPARE
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


def part_of_first(path: pathlib.Path, content_type: str) -> InputImage:
    """The first input image, written anew."""
    return _part(1, path, content_type)


def _part(number: int, path: pathlib.Path, content_type: str) -> InputImage:
    return InputImage(path, f"image-{number}{_SUFFIXES[content_type]}", content_type)


async def _converted(
    conversions: Conversions, image: _Examined, task: Task, scratch: pathlib.Path
) -> InputImage:
    target = scratch / f"input-{image.number}"
    try:
        report = await conversions.prepare(task, image.path, target)
    except TooManyPixels:
        raise _too_many_pixels(image.number) from None
    except DamagedPixels:
        raise _damaged(image.number, image.kind) from None
    except NotConverted as failure:
        raise _refusal(
            image.number, f"({image.kind}) {failure}; send it as PNG, JPEG or WebP"
        ) from None
    except OSError as error:
        raise _machine_fault(f"Input image {image.number}", error) from None
    if report.note:
        log.info("Input image %d %s.", image.number, report.note)
    return _part(image.number, pathlib.Path(report.path), report.content_type)


def _machine_fault(what: str, error: OSError) -> MachineFault:
    return MachineFault(
        f"{what} could not be prepared on this machine ({error.strerror}), so nothing was asked "
        "of the upstream; try again later, or have the operator give the predictor more memory, "
        "processes, open files or room in OUTPUT_DIRECTORY."
    )


def _damaged(number: int, kind: str) -> InvalidInput:
    return _refusal(number, f"({kind}) is damaged or cut short; send the whole file again")


def _too_many_pixels(number: int) -> InvalidInput:
    limit = MAX_PIXELS // 1_000_000
    return _refusal(number, f"has more than {limit} million pixels; scale it down first")


def _refusal(number: int, reason: str) -> InvalidInput:
    return InvalidInput(f"Input image {number} {reason}.")
