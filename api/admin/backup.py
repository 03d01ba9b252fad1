"""Backups of a data directory: the database, the files, the key and the first token."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from api.admin.refusal import Refused
from api.settings import Settings

_BESIDE = ("encryption.key", "token")


def back_up(settings: Settings, to: Path) -> int:
    """Copy everything to the new directory `to`, whole or not at all: how many files.

    The API may be running. The database is copied first: files that are removed meanwhile were to
    go in any case, and the copy does not know those that come meanwhile.

    Raises:
        Refused: there is nothing to copy, or something is there.
    """
    _refuse_elsewhere(settings)
    if to.exists():
        raise Refused(f"{to} exists already; name a directory that does not.")
    if not settings.database_file.exists():
        raise Refused(f"{settings.data_directory} holds no data of an API; set API_DATA_DIRECTORY.")
    part = to.with_name(f"{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    with (
        closing(sqlite3.connect(settings.database_file)) as present,
        closing(sqlite3.connect(part / settings.database_file.name)) as copy,
    ):
        present.backup(copy)
    count = _copy_files(settings.files_directory, part / settings.files_directory.name)
    for name in _BESIDE:
        _copy(settings.data_directory / name, part / name)
    part.replace(to)
    return count


def put_back(settings: Settings, backup: Path) -> None:
    """Copy a backup into the data directory, which must hold no database.

    Raises:
        Refused: it holds one, or `backup` is none.
    """
    _refuse_elsewhere(settings)
    database = backup / settings.database_file.name
    if not database.exists():
        raise Refused(f"{backup} is no backup: it has no {database.name}.")
    if settings.database_file.exists():
        raise Refused(
            f"{settings.data_directory} holds a database; move it away, or set API_DATA_DIRECTORY."
        )
    _copy_files(backup / settings.files_directory.name, settings.files_directory)
    for name in _BESIDE:
        _copy(backup / name, settings.data_directory / name)
    # Last: without it the directory counts as empty, and all of this can be done again.
    part = settings.database_file.with_suffix(".part")
    shutil.copy2(database, part)
    part.replace(settings.database_file)


def _refuse_elsewhere(settings: Settings) -> None:
    if settings.is_shared:
        raise Refused(
            "This backs up an API on one machine; use pg_dump for Postgres, and your store's own "
            "means for its files."
        )


def _copy_files(source: Path, target: Path) -> int:
    target.mkdir(mode=0o700, exist_ok=True)
    if not source.exists():
        return 0
    # "#" is in the name of a file that is not yet whole.
    return sum(_copy(file, target / file.name) for file in source.iterdir() if "#" not in file.name)


def _copy(source: Path, target: Path) -> bool:
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        return False
    return True
