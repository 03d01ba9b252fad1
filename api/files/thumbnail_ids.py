"""The ids of small pictures follow from the originals'.

So they are found, and removed with them, without being noted anywhere else.
"""

import base64
import hashlib
from collections.abc import Sequence
from enum import IntEnum

from api.ids import LENGTH


class Edge(IntEnum):
    """The longer edge in pixels, at most."""

    THUMBNAIL = 480
    """For a card, on a screen with two pixels a dot."""
    PREVIEW = 1600
    """For a whole page, where the original is heavy."""


def thumbnail_id(file_id: str, edge: Edge) -> str:
    """The id of a file's small picture."""
    digest = hashlib.sha256(f"{edge} {file_id}".encode()).digest()
    return base64.b32encode(digest)[:LENGTH].decode().lower()


def thumbnail_ids(file_ids: Sequence[str]) -> list[str]:
    """The ids of all small pictures that these files may have."""
    return [thumbnail_id(file_id, edge) for file_id in file_ids for edge in Edge]
