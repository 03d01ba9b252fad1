"""Files that stand in for settings; pydantic-settings skips a broken one or falls over it."""

import stat
from collections.abc import Collection
from pathlib import Path

from gpt_image.errors import BadSettings


def checked(directory: Path, settings: Collection[str]) -> list[Path]:
    """The files of `directory` that are named after a setting, each proved to be readable text.

    Raises:
        BadSettings: one of them is not; names the file.
    """
    try:
        files = [file for file in directory.iterdir() if file.name.lower() in settings]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _bad(directory, f"cannot be read ({error.strerror})") from None
    for file in files:
        _check(file)
    return files


def _check(file: Path) -> None:
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would keep the start waiting for ever
            raise _bad(file, "is not a regular file")
        file.read_bytes().decode()
    except OSError as error:
        raise _bad(file, f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise _bad(file, "is not UTF-8 text") from None


def _bad(path: Path, problem: str) -> BadSettings:
    return BadSettings(
        f"The secret {path} {problem}; mount a text file there that this user may read, or remove "
        "it and set the environment variable, and start again."
    )
