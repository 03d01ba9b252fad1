"""Runs convert.py: at most two at a time, each in a process that ends with its prediction."""

import asyncio
import json
import logging
import os
import sys
import weakref
from pathlib import Path

from gpt_image.conversion import convert
from gpt_image.conversion.convert import Report, Task

log = logging.getLogger(__name__)

_AT_ONCE = 2

SECONDS = 90.0
"""For one image; the slowest seen took 27 s (120 megapixels with alpha, on a busy core)."""

_ROOT = Path(__file__).parents[2]


async def run(task: Task, source: Path, target: Path) -> Report | None:
    """Report what became of `source`; None if convert.py crashed or went over a limit.

    Once this has returned, raised or been cancelled, nothing writes to `target` any more.
    """
    async with _turn():  # waiting here holds no thread
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", convert.__name__, task, source, target),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(SECONDS):
                answer, _ = await process.communicate()
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        if process.returncode != 0:
            log.warning("The conversion of an input image ended with %d.", process.returncode)
            return None
        return Report(**json.loads(answer))


def _environment() -> dict[str, str]:
    """What Python needs to find its packages: no key, no proxy, no setting."""
    found = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PYTHONPATH": found, **kept}


_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
_turns = weakref.WeakKeyDictionary()


def _turn() -> asyncio.Semaphore:
    # A semaphore belongs to one event loop: Cog has one, tests have many.
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))
