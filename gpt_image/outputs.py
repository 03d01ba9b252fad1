"""Received images to files of the promised format, in a fresh directory; old ones are swept."""

import asyncio
import logging
import math
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from PIL import Image

from gpt_image import image_structure
from gpt_image.base64_file import Base64File
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable, BadSettings, OutputNotSaved
from gpt_image.fetch import NotFetched, fetch
from gpt_image.image_structure import Damaged, Structure
from gpt_image.request import ImageRequest
from gpt_image.response import Answer
from gpt_image.settings import Settings
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)

_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_EXIF_PREFIX = b"Exif\0\0"
_SWEEP_EVERY = 60.0  # seconds
_PROVEN_FOR = 10.0  # seconds; so long is a directory that could be made proof for the next ones

# What else an operator keeps in OUTPUT_DIRECTORY is not ours to remove.
_OUR_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}-[0-9a-f]{16}")

# Everything else that Pillow reads stays off: EPS for one would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


class Outputs:
    """The directory of all output files; Cog never deletes one."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.output_directory
        self._max_age = settings.output_max_age_seconds
        self._in_use: set[Path] = set()
        self._swept = -math.inf
        self._proven_until = -math.inf

    @asynccontextmanager
    async def directory(self, prediction_id: str | None, *, at_once: bool) -> AsyncIterator[Path]:
        """A fresh directory for one prediction, named after it; removed if the prediction fails.

        It comes into being with the first file, unless it is wanted `at_once`, or there is no
        proof of the last seconds that it can: then nothing must be paid for before.

        Raises:
            BadSettings: none can be made.
        """
        directory = self._root / _unique_name(prediction_id)
        self._in_use.add(directory)
        try:
            if at_once or time.monotonic() > self._proven_until:
                await in_thread(_make, directory)
                self._proven_until = time.monotonic() + _PROVEN_FOR
            yield directory
        except BaseException as failure:
            if isinstance(failure, OutputNotSaved):
                self._proven_until = -math.inf
            await in_thread(shutil.rmtree, directory, ignore_errors=True)
            raise
        finally:
            self._in_use.discard(directory)

    async def sweep(self) -> None:
        """Remove directories of predictions that ended long ago; at start, then once a minute.

        A failure is logged and no more: the images of the prediction that sweeps are paid for.
        """
        if time.monotonic() - self._swept > _SWEEP_EVERY:
            self._swept = time.monotonic()
            await in_thread(self._remove_old)

    def _remove_old(self) -> None:
        oldest = time.time() - self._max_age
        try:
            for directory in self._root.iterdir():
                if not _OUR_NAME.fullmatch(directory.name) or directory in self._in_use:
                    continue
                with suppress(FileNotFoundError):  # another predictor sweeps as well
                    if directory.stat().st_mtime < oldest:
                        shutil.rmtree(directory, ignore_errors=True)
        except OSError as error:
            log.warning("Old output files could not be removed (%s).", error.strerror)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise BadSettings(
            f"There is no place for output files ({error.strerror}), so nothing was asked of the "
            "upstream; have the operator check OUTPUT_DIRECTORY."
        ) from None


async def save(answer: Answer, request: ImageRequest, directory: Path, until: float) -> list[Path]:
    """The images as files of the promised format, in the answer's order; at least one.

    Args:
        until: when to give up fetching images that came as URLs, on time.monotonic()'s clock.

    Raises:
        AnswerNotUsable: not one of them is an image.
        OutputNotSaved: this machine could not store them.
    """
    one_at_a_time = asyncio.Lock()  # because conversion holds all pixels in memory

    async def finished(number: int, image: Base64File | str) -> Path | Exception:
        try:
            received = await _fetched(image, directory, until) if isinstance(image, str) else image
            async with one_at_a_time:
                return await in_thread(_finish, received, request, number)
        except Exception as failure:  # noqa: BLE001 - one bad image must not lose the others
            return failure

    # A group, because on a cancellation it waits for its tasks, which write into `directory`.
    async with asyncio.TaskGroup() as group:
        images = answer.images.items()
        tasks = {number: group.create_task(finished(number, image)) for number, image in images}
    results = {number: task.result() for number, task in tasks.items()}
    files = [result for result in results.values() if isinstance(result, Path)]
    failures = {
        number: result for number, result in results.items() if isinstance(result, Exception)
    }
    problems = dict(answer.unusable) | {n: _reason(error) for n, error in failures.items()}
    summary = "; ".join(f"image {number} {why}" for number, why in sorted(problems.items()))
    if not files:
        raise _nothing_saved(summary, any(map(_is_storage, failures.values())))
    if problems:
        total = len(files) + len(problems)
        log.warning("%d of %d images were unusable: %s", len(problems), total, summary)
    if problems or request.is_edit:
        await in_thread(_remove_all_but, files, directory)
    return files


def _nothing_saved(summary: str, storage_failed: bool) -> AnswerNotUsable | OutputNotSaved:
    if storage_failed:
        return OutputNotSaved(
            f"The images could not be stored ({summary}); {BILLED_NOTE}; have the operator check "
            "OUTPUT_DIRECTORY."
        )
    return AnswerNotUsable(
        f"The upstream sent no usable image ({summary}); {BILLED_NOTE}; try again if you "
        "accept that."
    )


def _remove_all_but(files: list[Path], directory: Path) -> None:
    with suppress(OSError):  # the images are paid for, and the sweep takes what is left
        for leftover in set(directory.iterdir()) - set(files):
            leftover.unlink()


async def _fetched(url: str, directory: Path, until: float) -> Path:
    await in_thread(directory.mkdir, parents=True, exist_ok=True)
    file = directory / f"{secrets.token_hex(8)}.fetched"
    await fetch(url, file, until)
    return file


def _is_storage(failure: Exception) -> bool:
    # Pillow's own OSErrors have no number: they tell of the image, the others of the disk.
    return isinstance(failure, OSError) and failure.errno is not None


def _reason(failure: Exception) -> str:
    if isinstance(failure, OSError) and _is_storage(failure):
        return f"could not be stored: {failure.strerror}"
    # What else comes from Pillow is damage: struct.error, SyntaxError, zlib.error and so on.
    return str(failure) if isinstance(failure, NotFetched) else "is damaged"


def _finish(received: Base64File | Path, request: ImageRequest, number: int) -> Path:
    """Name the file by what it is; re-encode it only if it is not of the promised format."""
    if isinstance(received, Base64File):
        received.flush()
    file = received.path if isinstance(received, Base64File) else received
    promised = request.output_format
    final = file.with_name(f"{file.parent.name}-{number - 1}{_SUFFIXES[promised]}")
    label = f"image {number}"
    structure = _structure_of_whole(file)
    if structure and structure.content_type == f"image/{promised}":
        # Its header says enough: Pillow takes 4 ms to open a WebP of 1024x1024.
        _report_size(structure.width, structure.height, request, label)
        if request.background == "transparent":
            with Image.open(file, formats=_FORMATS) as image:
                _report_opacity(image, label)
        file.rename(final)
        return final
    with Image.open(file, formats=_FORMATS) as image:
        _report_size(image.width, image.height, request, label)
        if request.background == "transparent":
            _report_opacity(image, label)
        log.info("The upstream sent %s as %s; converted to %s.", label, image.format, promised)
        _convert(image, final, promised, request.output_compression)
    file.unlink()
    return final


def _structure_of_whole(file: Path) -> Structure | None:
    """What PNG, JPEG or WebP says of itself, None for others; Damaged where it breaks off."""
    with file.open("rb") as received:
        kind = image_structure.kind_of(received.read(image_structure.START))
        structure = image_structure.read(received, file.stat().st_size, kind) if kind else None
    if structure and not structure.has_end:
        raise Damaged
    return structure


def _report_size(width: int, height: int, request: ImageRequest, label: str) -> None:
    size = f"{width}x{height}"
    if request.size not in {"auto", size}:
        log.warning("The upstream sent %s at %s instead of %s.", label, size, request.size)


def _report_opacity(image: Image.Image, label: str) -> None:
    if not _has_transparency(image):
        log.warning("A transparent background was asked for, but %s is fully opaque.", label)


def _has_transparency(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(lowest, int) and lowest < 255


def _convert(image: Image.Image, file: Path, promised: str, quality: int) -> None:
    kept = {}
    if exif := image.info.get("exif"):
        # Pillow hands it over as it stands in the file: with this prefix in JPEG, else without.
        kept["exif"] = _EXIF_PREFIX + exif.removeprefix(_EXIF_PREFIX)
    if image.mode in {"RGB", "RGBA", "P"}:  # a profile for grey or CMYK would be wrong now
        kept["icc_profile"] = image.info.get("icc_profile")
    if not image.has_transparency_data:
        pixels = image.convert("RGB")
    else:
        pixels = image.convert("RGBA")
        if promised == "jpeg":
            pixels = _on_white(pixels)
    pixels.info.clear()  # or Pillow writes from there what is not kept
    pixels.save(file, format=promised, quality=quality, **kept)


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _unique_name(prediction_id: str | None) -> str:
    # Unique across predictions: uploads keep only the file's name, which begins with this one.
    words = re.sub(r"[^A-Za-z0-9_-]", "", prediction_id or "")[:64]
    return f"{words or 'prediction'}-{secrets.token_hex(8)}"
