"""Every image of an answer to a file: one bad image loses none of the others."""

import asyncio
import errno
import logging
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gpt_image.conversion.process import Conversions
from gpt_image.deadline import Deadline
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable, OutputNotSaved
from gpt_image.output_images.fetch import Fetcher
from gpt_image.output_images.finish import Finisher
from gpt_image.output_images.guard import Origin
from gpt_image.output_images.unusable import Unusable
from gpt_image.request import ImageRequest
from gpt_image.threads import in_thread
from gpt_image.upstream.answer import Answer
from gpt_image.upstream.base64_file import Base64File

log = logging.getLogger(__name__)


async def save(
    answer: Answer,
    request: ImageRequest,
    directory: Path,
    deadline: Deadline,
    fetcher: Fetcher,
    upstream: Origin,
) -> list[Path]:
    """The images as files of the promised format, in the answer's order; at least one.

    Args:
        deadline: when to give up fetching and converting.
        upstream: where the answer came from.

    Raises:
        AnswerNotUsable: not one of them is an image.
        OutputNotSaved: this machine could not store them.
    """
    finisher = Finisher(request, Conversions(deadline))

    async def finished(number: int, image: Base64File | str) -> Path | Exception:
        try:
            if isinstance(image, str):
                fetched = directory / f"{secrets.token_hex(8)}.fetched"
                await fetcher.fetch(image, fetched, deadline, upstream)
                return await finisher.finish(fetched, number)
            return await finisher.finish(image, number)
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
        raise _nothing_saved(summary, failures.values())
    if problems:
        total = len(files) + len(problems)
        log.warning("%d of %d images were unusable: %s", len(problems), total, summary)
    if problems or request.is_edit or answer.has_more:
        await in_thread(_remove_all_but, files, directory)
    return files


def _nothing_saved(summary: str, failures: Iterable[Exception]) -> AnswerNotUsable | OutputNotSaved:
    numbers = {number for failure in failures if (number := _machines(failure))}
    if not numbers:
        return AnswerNotUsable(f"The upstream sent no usable image ({summary}); {BILLED_NOTE}.")
    remedy = (
        "give the predictor more memory, processes or open files"
        if numbers <= _SHORTAGES
        else "check OUTPUT_DIRECTORY"
    )
    return OutputNotSaved(
        f"The images could not be stored ({summary}); {BILLED_NOTE}; have the operator {remedy}."
    )


def _remove_all_but(files: list[Path], directory: Path) -> None:
    with suppress(OSError):  # the images are paid for, and the sweep takes what is left
        for leftover in set(directory.iterdir()) - set(files):
            leftover.unlink()


def _reason(failure: Exception) -> str:
    if isinstance(failure, Unusable):
        return str(failure)
    if number := _machines(failure):
        work = "converted" if number in _SHORTAGES else "stored"
        return f"could not be {work}: {os.strerror(number)}"
    return "could not be read"


_SHORTAGES = {errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE}


def _machines(failure: Exception) -> int | None:
    """The number of an error that this machine is to blame for, and not the image."""
    if isinstance(failure, MemoryError):
        return errno.ENOMEM
    return failure.errno if isinstance(failure, OSError) else None
