"""Runs conversions: two at a time, each in a process that ends with its prediction."""

import asyncio
import errno
import json
import logging
import os
import signal
import sys
import weakref
from pathlib import Path
from typing import Any

import gpt_image.conversion
from gpt_image.conversion.places import Places
from gpt_image.conversion.reports import (
    FAILURES,
    Finished,
    LaidOver,
    NotConverted,
    OverlayKind,
    Prepared,
    Task,
)
from gpt_image.deadline import Deadline

log = logging.getLogger(__name__)

_AT_ONCE = 2

SECONDS = 180.0
"""For one image; the slowest seen took 27 s (120 megapixels with alpha, on a busy core), and one
that takes 8 s took over 90 on a machine whose processor was taken away."""

_ROOT = Path(__file__).parents[2]


class Conversions:
    """Those of one prediction's input or output images, one at a time.

    Each method raises:
        NotConverted: the image is to blame, or the time is over.
        OSError: the machine is, which lacks memory, descriptors, processes or room on the disk.

    Once a method has returned, raised or been cancelled, nothing writes to its target any more.
    """

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._deadline = deadline
        self._turns_had = 0
        self._one_at_a_time = asyncio.Lock()

    async def prepare(self, task: Task, source: Path, target: Path) -> Prepared:
        """Make `source` fit for upload; `target` is a path without suffix."""
        return Prepared(**await self._run(task, source, target))

    async def lay_over(
        self, kind: OverlayKind, source: Path, first: Path, scratch: Path, most_bytes: int
    ) -> LaidOver:
        """Make `source` fit to lie over the image `first`; `scratch` is a folder."""
        report = await self._run(Task.LAY_OVER, source, kind, first, scratch, str(most_bytes))
        upright = report.pop("first")
        return LaidOver(**report, first=Prepared(**upright) if upright else None)

    async def finish(self, source: Path, target: Path, promised: str, quality: int) -> Finished:
        """Write `source` as the `promised` format; `quality` is 0 to 100."""
        report = await self._run(Task.FINISH, source, target, promised, str(quality))
        return Finished(**report)

    async def has_transparency(self, source: Path) -> bool:
        """Whether any pixel is not opaque."""
        return bool(await self._run(Task.FIND_ALPHA, source))

    async def _run(self, task: Task, *arguments: str | Path) -> Any:  # noqa: ANN401 - JSON
        # Waiting here holds no thread.
        try:
            async with asyncio.timeout_at(self._deadline.at if self._deadline else None):
                async with self._one_at_a_time, _places().place(self._turns_had):
                    self._turns_had += 1
                    return await _run_process(task, *arguments)
        except TimeoutError:
            raise NotConverted("was not converted before the deadline") from None


async def _run_process(task: Task, *arguments: str | Path) -> Any:  # noqa: ANN401 - JSON
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", gpt_image.conversion.__name__, task, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate()
    except TimeoutError:
        raise NotConverted(f"took longer than {SECONDS:g} s to convert") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    if code := process.returncode:
        log.warning("The conversion of an image ended with %d.", code)
        raise _why_it_ended(code)
    outcome = json.loads(answer)
    if number := outcome.get("errno"):
        raise OSError(number, os.strerror(number))
    if failure := outcome.get("failure"):
        raise FAILURES[failure]
    return outcome["report"]


def _why_it_ended(code: int) -> Exception:
    if code == -signal.SIGKILL:  # by the kernel, when memory has run out
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if code < 0:
        return NotConverted("could not be converted")
    # Python itself did not get as far as the image.
    return OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _environment() -> dict[str, str]:
    """What Python needs to find its packages: no key, no proxy, no setting."""
    found = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PYTHONPATH": found, **kept}


_all_places: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Places]
_all_places = weakref.WeakKeyDictionary()


def _places() -> Places:
    # A future belongs to one event loop: Cog has one, tests have many.
    return _all_places.setdefault(asyncio.get_running_loop(), Places(_AT_ONCE))
