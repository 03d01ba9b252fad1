"""What lies over the first input image: a mask, or a markup.

docs/images.md says what becomes of a mask.
"""

import logging
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from cog import Path

from gpt_image.conversion.process import Conversions
from gpt_image.conversion.reports import Damaged, NotConverted, OverlayKind
from gpt_image.errors import InvalidInput, MachineFault
from gpt_image.image_limits import MAX_UPLOAD_BYTES
from gpt_image.input_images.prepare import MAX_FILE_BYTES, InputImage, part_of_first
from gpt_image.models.table import MODELS
from gpt_image.request import ImageRequest
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overlay:
    """A file that Cog downloaded; nothing of it has been opened."""

    kind: OverlayKind
    path: pathlib.Path
    most_bytes: int
    """What is sent stays below this."""


async def check_overlay(request: ImageRequest) -> Overlay | None:
    """The request's mask or markup, if it has one.

    Raises:
        InvalidInput: it is no file that Cog downloaded; it is not repeated, since it may hold
            credentials or a path of this machine.
    """
    kind = OverlayKind.MASK if request.mask is not None else OverlayKind.MARKUP
    file = request.mask if request.mask is not None else request.markup
    if file is None:
        return None
    if not isinstance(file, Path):
        raise _refusal(
            kind,
            "is not a file that Cog downloaded; give it as a URL that starts with http:// or "
            "https://, or as a data: URI",
        )
    path = pathlib.Path(str(file))
    size = await in_thread(_size_of_file, path)
    if size is None:
        raise _refusal(kind, "could not be found as a file after its download; send it again")
    if size > MAX_FILE_BYTES:
        raise _refusal(kind, f"is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    model = MODELS.get(request.model)
    is_mask = kind is OverlayKind.MASK
    return Overlay(kind, path, model.mask_bytes if model and is_mask else MAX_UPLOAD_BYTES)


def _size_of_file(path: pathlib.Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


async def laid_over(
    images: Sequence[InputImage], overlay: Overlay, scratch: pathlib.Path
) -> list[InputImage]:
    """The images and the overlay, made fit for the first of them where that loses nothing.

    Raises:
        InvalidInput: it does not fit, or would change nothing.
        MachineFault: this machine lacks what the comparison takes.
    """
    kind, first = overlay.kind, images[0]
    try:
        await in_thread(scratch.mkdir, parents=True, exist_ok=True)
        report = await Conversions().lay_over(
            kind, overlay.path, first.path, scratch, overlay.most_bytes
        )
    except Damaged:
        raise _refusal(kind, "is no image that can be read here; send it as PNG") from None
    except NotConverted as failure:
        raise _refusal(kind, f"{failure}; send it as PNG") from None
    except OSError as error:
        raise MachineFault(
            f"The {kind} could not be prepared on this machine ({error.strerror}), so nothing was "
            "asked of the upstream; try again later, or have the operator give the predictor more "
            "memory, processes or room in OUTPUT_DIRECTORY."
        ) from None
    if report.problem:
        raise _refusal(kind, report.problem)
    for note in filter(None, (report.note, report.note_on_first)):
        log.info("%s", note)
    path = pathlib.Path(report.path)
    part = InputImage(path, f"{kind}.png", "image/png", part=kind)
    if report.first is None:
        return [*images, part]
    upright = part_of_first(pathlib.Path(report.first.path), report.first.content_type)
    return [upright, *images[1:], part]


def _refusal(kind: OverlayKind, reason: str) -> InvalidInput:
    return InvalidInput(f"The {kind} {reason}.")
