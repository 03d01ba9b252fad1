"""Room on the disk for images, proven before they are paid for."""

import errno
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from gpt_image.errors import BadSettings, GptImageError, MachineFault
from gpt_image.request import ImageRequest

# A 4K PNG of the API weighs 16 to 18 MB, 2.2 bytes a pixel. A WebP of the sandbox, with grain, has
# 0.2; what is least compressed comes near to 1. A gif has nine frames of a byte a pixel at most.
_BYTES_PER_PIXEL = {"png": 3, "jpeg": 1, "webp": 1, "gif": 9, "svg": 1}
# Where the model chooses, 1254x1254 and 1536x1024 were seen.
_SIZE_OF_AUTO = "1536x1024"

_LEAST = 4 << 20  # bytes; with less the health check gives alarm

_A_LITTLE = bytes(1 << 16)

_ALLOCATES_NOTHING = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_NO_MORE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def wanted_for(request: ImageRequest) -> int:
    """How many bytes the images of a request are likely to take at most."""
    size = _SIZE_OF_AUTO if request.size == "auto" else request.size
    width, _, height = size.partition("x")
    pixels = int(width) * int(height)
    return request.n * pixels * _BYTES_PER_PIXEL[request.output_format]


class Room:
    """What is free below one directory, less what predictions under way have been promised.

    Its methods block. Free space alone would be promised to several predictions at once, and a
    reservation on the disk would hold memory for minutes where the directory is a tmpfs. So the
    promises are counted here, and a little is written to see that it can be.

    Quotas and limits do not show in the free space. Once they have cost a prediction its images,
    all room is allocated for a moment before it is promised; always, that would take each
    prediction 1 to 4 ms on ext4 and 60 ms for ten 4K PNGs on a tmpfs (2 cores, 2026-11-21).
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._promised: dict[Path, int] = {}
        self._lock = threading.Lock()
        self._failed = False
        self._allocates = False

    def promise(self, directory: Path, wanted: int) -> None:
        """Make `directory`, and keep `wanted` bytes for it until `release`.

        Raises:
            BadSettings: nothing can be written there.
            MachineFault: there is no room, or no more open files are allowed.
        """
        with self._lock:
            promised = sum(tuple(self._promised.values()))  # a copy, as others take theirs back
            try:
                self._prove(directory, wanted, promised)
            except OSError as error:
                self._failed = True
                raise _refusal(error) from None
            self._promised[directory] = wanted
            self._failed = False

    def release(self, directory: Path) -> None:
        """Take back what was promised: it is written, or not wanted any more."""
        self._promised.pop(directory, None)

    def note_loss(self) -> None:
        """Remember that paid images could not be stored, though room was promised."""
        self._failed = self._allocates = True

    @property
    def is_in_doubt(self) -> bool:
        """Whether writing failed, and has not succeeded since."""
        return self._failed

    def check(self) -> None:
        """Find out whether a small image could be stored, were nothing promised to others.

        Raises:
            MachineFault: it could not.
        """
        directory = self._root / f"health-{secrets.token_hex(8)}"
        try:
            self._prove(directory, _LEAST, 0)
            self._failed = False
        except OSError as error:
            raise MachineFault(
                f"Images cannot be stored in OUTPUT_DIRECTORY ({error.strerror}); {_OPERATORS}."
            ) from None
        finally:
            with suppress(OSError):
                directory.rmdir()

    def _prove(self, directory: Path, wanted: int, promised: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        left = max(0, _free(directory) - promised)
        if left < wanted:
            raise OSError(errno.ENOSPC, f"{_megabytes(wanted)} wanted, {_megabytes(left)} left")
        probe = directory / "probe"
        try:
            with probe.open("wb", buffering=0) as opened:
                opened.write(_A_LITTLE)
                if self._allocates:
                    _allocate(opened.fileno(), wanted)
        finally:
            probe.unlink(missing_ok=True)


_OPERATORS = "make room there, or lower OUTPUT_MAX_AGE_SECONDS"


def _refusal(error: OSError) -> GptImageError:
    if error.errno in _NO_MORE:
        return MachineFault(
            f"There is no room for the images in OUTPUT_DIRECTORY ({error.strerror}), so nothing "
            "was asked of the upstream; try again later, ask for fewer or smaller images, or have "
            f"the operator {_OPERATORS}."
        )
    return BadSettings(
        f"There is no place for output files ({error.strerror}), so nothing was asked of the "
        "upstream; have the operator check OUTPUT_DIRECTORY."
    )


def _megabytes(count: float) -> str:
    return f"{count / 1_000_000:.1f} MB"


def _free(directory: Path) -> float:
    """Bytes that we may take; a file system without a size, as some tmpfs are, has no end."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize if disk.f_blocks else float("inf")


def _allocate(file: int, size: int) -> None:
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in _ALLOCATES_NOTHING:
            raise
