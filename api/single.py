"""One process owns a data directory: the waiting order is in its memory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.settings import BadSettings


@contextmanager
def owning(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, which ends with the process, however that ends.

    Raises:
        BadSettings: another process holds it.
    """
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadSettings(
                f"Another API runs with {directory}; stop it, or set API_DATA_DIRECTORY "
                "to another directory."
            ) from None
        yield
