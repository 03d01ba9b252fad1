"""Pictures scaled to another size, each in a process of its own."""

import asyncio
import json
import os
import sys
from pathlib import Path

_AT_ONCE = 2
_SECONDS = 300.0  # for one picture; the slowest take some seconds, on an idle machine
_MODULE = __name__


class NotScaled(Exception):
    """The picture could not be scaled; it is as it was."""


class Scaling:
    """Scales two pictures at a time."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def scale(
        self, source: Path, target: Path, size: tuple[int, int], kind: str, quality: int
    ) -> None:
        """Write `source` to `target` at `size`: as much of its middle as has the same shape.

        Args:
            kind: JPEG, PNG or WEBP.
            quality: 0 to 100, for all but PNG.

        Raises:
            NotScaled: it is no picture, too large, or it took too long.
        """
        arguments = json.dumps([str(source), str(target), list(size), kind, quality])
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _MODULE, arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # and no key
            )
            try:
                async with asyncio.timeout(_SECONDS):
                    code = await process.wait()
            except TimeoutError:
                raise NotScaled(f"It took longer than {_SECONDS:g} s.") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if code != 0:
            raise NotScaled(f"Its process ended with {code}.")
