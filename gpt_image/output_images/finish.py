"""One received image to a file of the promised format: as it came, or converted."""

import logging
from dataclasses import dataclass
from pathlib import Path

from gpt_image import image_structure
from gpt_image.conversion.process import Conversions
from gpt_image.conversion.reports import Damaged as DamagedPixels
from gpt_image.conversion.reports import NotConverted
from gpt_image.image_limits import TOO_LARGE
from gpt_image.image_structure import Damaged, Structure
from gpt_image.output_images.unusable import Unusable
from gpt_image.request import ImageRequest
from gpt_image.threads import in_thread
from gpt_image.upstream.base64_file import Base64File

log = logging.getLogger(__name__)

_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "gif": ".gif", "svg": ".svg"}
_END = 64  # bytes; an SVG ends with its last tag


@dataclass(frozen=True)
class Finisher:
    """Finishes the images of one prediction."""

    request: ImageRequest
    conversions: Conversions

    async def finish(self, received: Base64File | Path, number: int) -> Path:
        """Name the file by what it is; re-encode it only if it is not of the promised format.

        Raises:
            Unusable: it is no image that can be handed on.
            OSError: this machine cannot store or convert it.
        """
        file = received.path if isinstance(received, Base64File) else received
        promised = self.request.output_format
        if promised == "svg":
            return await self._svg(received, file, number)
        final = file.with_name(f"{file.parent.name}-{number - 1}{_SUFFIXES[promised]}")
        # Its header says enough of a file that is kept: no decoder has to open it.
        structure = await in_thread(_take_as_it_is, received, f"image/{promised}", final)
        if structure is None:
            return await self._converted(file, final, number)
        self._report_size(structure.width, structure.height, number)
        if self.request.background == "transparent":
            await self._report_opacity(final, number)
        return final

    async def _svg(self, received: Base64File | Path, file: Path, number: int) -> Path:
        """A drawing goes on as it came; a picture in its place cannot be made one, and is kept."""
        kind = await in_thread(_kind_of_drawing, received)
        if kind is None:
            raise Unusable("is no drawing and no picture")
        if kind != "svg":
            log.warning("The upstream sent image %d as %s instead of svg.", number, kind)
        final = file.with_name(f"{file.parent.name}-{number - 1}{_SUFFIXES[kind]}")
        await in_thread(file.rename, final)
        return final

    async def _converted(self, file: Path, final: Path, number: int) -> Path:
        request = self.request
        try:
            was = await self.conversions.finish(
                file, final, request.output_format, request.output_compression
            )
        except NotConverted as failure:
            raise Unusable(str(failure)) from None
        await in_thread(file.unlink)  # at once, since its room may be wanted
        self._report_size(was.width, was.height, number)
        if request.background == "transparent":
            await self._report_opacity(final, number)
        log.info(
            "The upstream sent image %d as %s; converted to %s.",
            *(number, was.format, request.output_format),
        )
        return final

    def _report_size(self, width: int, height: int, number: int) -> None:
        size, asked = f"{width}x{height}", self.request.size
        if asked not in {"auto", size}:
            log.warning("The upstream sent image %d at %s instead of %s.", number, size, asked)

    async def _report_opacity(self, file: Path, number: int) -> None:
        try:
            if await self.conversions.has_transparency(file):
                return
        except DamagedPixels as damage:
            raise Unusable(str(damage)) from None
        except (NotConverted, OSError):
            log.warning("Whether image %d is transparent could not be checked.", number)
            return
        log.warning("A transparent background was asked for, but image %d is fully opaque.", number)


def _kind_of_drawing(received: Base64File | Path) -> str | None:
    """`svg`, or the format of a picture that came in its place."""
    file = _on_disk(received)
    with file.open("rb") as opened:
        start = opened.read(image_structure.START)
        opened.seek(max(0, file.stat().st_size - _END))
        if image_structure.is_whole_svg(start, opened.read()):
            return "svg"
    structure = _structure_of_whole(file)
    return structure.content_type.removeprefix("image/") if structure else None


def _on_disk(received: Base64File | Path) -> Path:
    if not isinstance(received, Base64File):
        return received
    received.flush()
    if received.is_too_large:
        raise Unusable(TOO_LARGE)
    return received.path


def _take_as_it_is(received: Base64File | Path, promised: str, final: Path) -> Structure | None:
    """Rename a file of the promised type; None if it has to be converted."""
    file = _on_disk(received)
    structure = _structure_of_whole(file)
    if structure is None or structure.content_type != promised:
        return None
    file.rename(final)
    return structure


def _structure_of_whole(file: Path) -> Structure | None:
    """What PNG, JPEG, WebP or GIF says of itself, None for others; Unusable where it breaks off."""
    with file.open("rb") as received:
        kind = image_structure.kind_of(received.read(image_structure.START))
        try:
            structure = image_structure.read(received, file.stat().st_size, kind) if kind else None
        except Damaged:
            raise Unusable("is damaged") from None
    if structure and not structure.has_end:
        raise Unusable("is damaged")
    return structure
