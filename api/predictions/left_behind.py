"""Paid files that Cog could not hand over: they lie in its OUTPUT_DIRECTORY under the prediction.

The predictor makes a directory `ID-RANDOM` for each prediction, writes finished files there as
`ID-RANDOM-NUMBER.SUFFIX`, and nothing else stays beside them when it is done.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path

_SETTLED_SECONDS = 3.0  # a directory that has not changed for so long is finished


@dataclass(frozen=True)
class LeftBehind:
    """What was found for a prediction."""

    files: list[Path]
    """Finished files, in their order."""
    is_complete: bool
    """Whether nothing points to more files being written."""


async def look(output_directory: Path | None, prediction_id: str) -> LeftBehind:
    """What Cog has left behind for the prediction; nothing where no directory is set."""
    if output_directory is None:
        return LeftBehind([], is_complete=True)
    return await asyncio.to_thread(_look, output_directory, prediction_id)


def _look(output_directory: Path, prediction_id: str) -> LeftBehind:
    finished: list[tuple[int, Path]] = []
    unfinished, changed_at = False, 0.0
    for directory in output_directory.glob(f"{prediction_id}-*"):
        name = re.compile(re.escape(directory.name) + r"-(\d+)\.\w+")
        try:
            for file in directory.iterdir():
                changed_at = max(changed_at, file.stat().st_mtime)
                if match := name.fullmatch(file.name):
                    finished.append((int(match[1]), file))
                else:
                    unfinished = True
        except OSError:  # the predictor removes what belongs to a failure
            unfinished = True
    settled = time.time() - changed_at > _SETTLED_SECONDS
    files = [file for _, file in sorted(finished)]
    return LeftBehind(files, is_complete=bool(files) and settled and not unfinished)


def place_of(name: str) -> tuple[int, str]:
    """Sorts file names by the number before their suffix: uploads come in any order."""
    number = re.search(r"(\d+)(\.\w+)?$", name)
    return (int(number[1]) if number else 0, name)
