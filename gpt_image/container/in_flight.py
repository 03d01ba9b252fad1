"""Whether a prediction runs here, told to other processes by a lock, since Cog does not tell it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def lock_file() -> Path:
    """One for each user, because the temporary directory may be shared."""
    return Path(tempfile.gettempdir()) / f"gpt-image-2-{os.getuid()}.in-flight"


class InFlight:
    """Locks the file while any prediction runs; the lock goes with the process that holds it."""

    def __init__(self) -> None:
        """Raises nothing: without the file, who asks gets no answer and waits out the deadline."""
        self._running = 0
        try:
            self._file = os.open(lock_file(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            self._file = -1

    @contextmanager
    def one(self) -> Iterator[None]:
        """For as long as one prediction runs."""
        if not self._running:
            # It may wait, but only for a look by `anything_runs`, which takes microseconds.
            self._flock(fcntl.LOCK_SH)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._flock(fcntl.LOCK_UN)

    def _flock(self, operation: int) -> None:
        if self._file >= 0:
            fcntl.flock(self._file, operation)


def anything_runs() -> bool:
    """Also true where that cannot be known."""
    try:
        file = os.open(lock_file(), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)  # which unlocks it
