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

from gpt_image.errors import BadSettings, OutputNotSaved
from gpt_image.settings import Settings
from gpt_image.threads import in_thread

log = logging.getLogger(__name__)

_SWEEP_EVERY = 60.0  # seconds
_PROVEN_FOR = 10.0  # seconds; so long is a directory that could be made proof for the next ones

# What else an operator keeps in OUTPUT_DIRECTORY is not ours to remove.
_OUR_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}-[0-9a-f]{16}")


class OutputDirectories:
    """Below OUTPUT_DIRECTORY; Cog never deletes an output file."""

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


def _unique_name(prediction_id: str | None) -> str:
    # Unique across predictions: uploads keep only the file's name, which begins with this one.
    words = re.sub(r"[^A-Za-z0-9_-]", "", prediction_id or "")[:64]
    return f"{words or 'prediction'}-{secrets.token_hex(8)}"
