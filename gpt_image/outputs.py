"""Received images to files of the promised format, in a fresh directory; old ones are swept."""

import logging
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from PIL import Image

from gpt_image import image_structure
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable, OutputNotSaved
from gpt_image.fetch import NotFetched, fetch
from gpt_image.image_structure import Damaged
from gpt_image.request import ImageRequest
from gpt_image.response import Answer
from gpt_image.settings import Settings
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)

_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_SWEEP_EVERY = 60.0  # seconds


class Outputs:
    """The directory of all output files; Cog never deletes one."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.output_directory
        self._max_age = settings.output_max_age_seconds
        self._in_use: set[Path] = set()
        self._swept = time.monotonic()

    @asynccontextmanager
    async def directory(self, prediction_id: str | None) -> AsyncIterator[Path]:
        """A fresh directory for one prediction, named after it; removed if the prediction fails."""
        directory = self._root / _unique_name(prediction_id)
        await in_thread(directory.mkdir, parents=True)
        self._in_use.add(directory)
        try:
            yield directory
        except BaseException:
            await in_thread(shutil.rmtree, directory, ignore_errors=True)
            raise
        finally:
            self._in_use.discard(directory)

    async def sweep(self) -> None:
        """Remove directories of predictions that ended long ago; at most once a minute.

        A failure is logged and no more: the images of the prediction that sweeps are paid for.
        """
        if time.monotonic() - self._swept > _SWEEP_EVERY:
            self._swept = time.monotonic()
            await in_thread(self._remove_old)

    def _remove_old(self) -> None:
        oldest = time.time() - self._max_age
        try:
            for directory in self._root.iterdir():
                if directory not in self._in_use and directory.stat().st_mtime < oldest:
                    shutil.rmtree(directory, ignore_errors=True)
        except OSError as error:
            log.warning("Old output files could not be removed (%s).", error.strerror)


async def save(answer: Answer, request: ImageRequest, directory: Path, until: float) -> list[Path]:
    """The images as files of the promised format, in the answer's order; at least one.

    Args:
        until: when to give up fetching images that came as URLs, on time.monotonic()'s clock.

    Raises:
        AnswerNotUsable: not one of them is an image.
        OutputNotSaved: this machine could not store them.
    """
    files: list[Path] = []
    problems = list(answer.unusable)
    storage_failed = False
    for index, image in enumerate(answer.images):
        label = f"image {index + 1}"
        try:
            received = await _received(image, directory / f"{index}.fetched", until)
            files.append(await in_thread(_finish, received, request, index, label))
        except NotFetched as problem:
            problems.append(f"{label} {problem}")
        except OSError as error:
            # Pillow's own OSErrors have no number: they tell of the image, the others of the disk.
            storage_failed |= error.errno is not None
            problems.append(f"{label} {error.strerror or 'is damaged'}")
        except (Damaged, ValueError, SyntaxError, Image.DecompressionBombError):
            problems.append(f"{label} is damaged")
    summary = "; ".join(problems)
    if not files and storage_failed:
        raise OutputNotSaved(
            f"The images could not be stored ({summary}); {BILLED_NOTE}; have the operator check "
            "OUTPUT_DIRECTORY."
        )
    if not files:
        raise AnswerNotUsable(
            f"The upstream sent no usable image ({summary}); {BILLED_NOTE}; try again if you "
            "accept that."
        )
    if problems:
        total = len(files) + len(problems)
        log.warning("%d of %d images were unusable: %s", len(problems), total, summary)
    await in_thread(_remove_all_but, files, directory)
    return files


def _remove_all_but(files: list[Path], directory: Path) -> None:
    with suppress(OSError):  # the images are paid for, and the sweep takes what is left
        for leftover in set(directory.iterdir()) - set(files):
            leftover.unlink()


async def _received(image: Path | str, file: Path, until: float) -> Path:
    if isinstance(image, Path):
        return image
    await fetch(image, file, until)
    return file


def _finish(received: Path, request: ImageRequest, index: int, label: str) -> Path:
    """Name the file by what it is; re-encode it only if it is not of the promised format."""
    _check_whole(received)
    promised = request.output_format
    final = received.with_name(f"{received.parent.name}-{index}{_SUFFIXES[promised]}")
    with Image.open(received) as image:
        _report_differences(image, request, label)
        if (image.format or "").lower() == promised:
            received.rename(final)
            return final
        log.info("The upstream sent %s as %s; converted to %s.", label, image.format, promised)
        _convert(image, final, promised, request.output_compression)
        return final


def _check_whole(file: Path) -> None:
    """Raises Damaged where PNG, JPEG or WebP breaks off; decodes nothing."""
    with file.open("rb") as received:
        kind = image_structure.kind_of(received.read(image_structure.START))
        structure = image_structure.read(received, file.stat().st_size, kind) if kind else None
    if structure and not structure.has_end:
        raise Damaged


def _report_differences(image: Image.Image, request: ImageRequest, label: str) -> None:
    size = f"{image.width}x{image.height}"
    if request.size not in {"auto", size}:
        log.warning("The upstream sent %s at %s instead of %s.", label, size, request.size)
    if request.background == "transparent" and not _has_transparency(image):
        log.warning("A transparent background was asked for, but %s is fully opaque.", label)


def _has_transparency(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(lowest, int) and lowest < 255


def _convert(image: Image.Image, file: Path, promised: str, quality: int) -> None:
    kept = {name: image.info[name] for name in ("icc_profile", "exif") if image.info.get(name)}
    has_alpha = image.has_transparency_data
    pixels = image.convert("RGBA" if has_alpha and promised != "jpeg" else "RGB")
    pixels.save(file, format=promised, quality=quality, **kept)


def _unique_name(prediction_id: str | None) -> str:
    # Unique across predictions: uploads keep only the file's name, which begins with this one.
    words = re.sub(r"[^A-Za-z0-9_-]", "", prediction_id or "")[:64]
    return f"{words}-{secrets.token_hex(4)}" if words else secrets.token_hex(8)
