"""The directory of all output files: a fresh one for each prediction, old ones swept by age."""

import logging
import math
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gpt_image.errors import MachineFault, OutputNotSaved
from gpt_image.output_images.room import Room, wanted_for
from gpt_image.request import ImageRequest
from gpt_image.settings import Settings
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)

_SWEEP_EVERY = 60.0  # seconds

# What else an operator keeps in OUTPUT_DIRECTORY is not ours to remove.
_OUR_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}-[0-9a-f]{16}")


class OutputDirectories:
    """Below OUTPUT_DIRECTORY; Cog never deletes an output file."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.output_directory
        self._max_age = settings.output_max_age_seconds
        self._room = Room(self._root)
        self._in_use: set[Path] = set()
        self._swept = -math.inf

    @asynccontextmanager
    async def directory(self, prediction_id: str | None) -> AsyncIterator[Path]:
        """The place of a fresh directory, named after the prediction; removed if that fails.

        It comes into being with `make_room`, or before, with the first converted input image.
        """
        directory = self._root / _unique_name(prediction_id)
        self._in_use.add(directory)
        try:
            yield directory
        except BaseException as failure:
            if isinstance(failure, OutputNotSaved):
                self._room.note_loss()
            await in_thread(shutil.rmtree, directory, ignore_errors=True)
            raise
        finally:
            self._room.release(directory)
            self._in_use.discard(directory)

    async def make_room(self, directory: Path, request: ImageRequest) -> None:
        """Make `directory`, with room for the images of `request`, before they are paid for.

        Raises:
            BadSettings: nothing can be written there.
            MachineFault: there is not enough room.
        """
        await in_thread(self._make_room, directory, wanted_for(request))

    async def check_health(self) -> None:
        """Once images could not be stored, raise as `make_room` does, until a write succeeds."""
        if self._room.is_in_doubt:
            await in_thread(self._check)

    def _make_room(self, directory: Path, wanted: int) -> None:
        try:
            self._room.promise(directory, wanted)
        except MachineFault:
            self._remove_old()  # nothing else does, while every prediction is refused
            self._room.promise(directory, wanted)

    def _check(self) -> None:
        self._remove_old()
        self._room.check()

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


def _unique_name(prediction_id: str | None) -> str:
    # Unique across predictions: uploads keep only the file's name, which begins with this one.
    words = re.sub(r"[^A-Za-z0-9_-]", "", prediction_id or "")[:64]
    return f"{words or 'prediction'}-{secrets.token_hex(8)}"
