"""Looks for the callers' keys where none may be: each key of a soak begins in the same way."""

import base64
import mmap
from collections.abc import Iterator
from pathlib import Path

from benchmarks.api_soak.plan import CANARY


def forms() -> list[bytes]:
    """The beginning of every key, as it is and in the disguises that storing might give it."""
    plain = CANARY.encode()
    found = [plain, plain[::-1], plain.hex().encode(), CANARY.encode("utf-16-le")]
    # Base64 has three faces, by where in a group of three bytes the text begins.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        found.append(encoded[4 if shift else 0 : -4])
    return found


def found_in(text: bytes) -> bool:
    """Whether a key is in it, in any form."""
    return any(form in text for form in forms())


def found_below(folder: Path) -> Iterator[str]:
    """The files below the folder that hold a key."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_size and _holds(path):
                yield f"the file {path.relative_to(folder)}"
        except FileNotFoundError:
            continue  # removed meanwhile


def _holds(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(form) >= 0 for form in forms())
