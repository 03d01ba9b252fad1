"""Every image of an answer to a file: one bad image loses none of the others."""

import asyncio
import logging
import secrets
from contextlib import suppress
from pathlib import Path

from gpt_image.deadline import Deadline
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable, OutputNotSaved
from gpt_image.output_images.fetch import NotFetched, fetch
from gpt_image.output_images.finish import finish
from gpt_image.request import ImageRequest
from gpt_image.threads import in_thread
from gpt_image.upstream.answer import Answer
from gpt_image.upstream.base64_file import Base64File

log = logging.getLogger(__name__)


async def save(
    answer: Answer, request: ImageRequest, directory: Path, deadline: Deadline
) -> list[Path]:
    """The images as files of the promised format, in the answer's order; at least one.

    Args:
        deadline: when to give up fetching images that came as URLs.

    Raises:
        AnswerNotUsable: not one of them is an image.
        OutputNotSaved: this machine could not store them.
    """
    one_at_a_time = asyncio.Lock()  # because conversion holds all pixels in memory

    async def finished(number: int, image: Base64File | str) -> Path | Exception:
        try:
            received = (
                await _fetched(image, directory, deadline) if isinstance(image, str) else image
            )
            async with one_at_a_time:
                return await in_thread(finish, received, request, number)
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
    return AnswerNotUsable(f"The upstream sent no usable image ({summary}); {BILLED_NOTE}.")


def _remove_all_but(files: list[Path], directory: Path) -> None:
    with suppress(OSError):  # the images are paid for, and the sweep takes what is left
        for leftover in set(directory.iterdir()) - set(files):
            leftover.unlink()


async def _fetched(url: str, directory: Path, deadline: Deadline) -> Path:
    await in_thread(directory.mkdir, parents=True, exist_ok=True)
    file = directory / f"{secrets.token_hex(8)}.fetched"
    await fetch(url, file, deadline)
    return file


def _is_storage(failure: Exception) -> bool:
    # Pillow's own OSErrors have no number: they tell of the image, the others of the disk.
    return isinstance(failure, OSError) and failure.errno is not None


def _reason(failure: Exception) -> str:
    if isinstance(failure, OSError) and _is_storage(failure):
        return f"could not be stored: {failure.strerror}"
    # What else comes from Pillow is damage: struct.error, SyntaxError, zlib.error and so on.
    return str(failure) if isinstance(failure, NotFetched) else "is damaged"
