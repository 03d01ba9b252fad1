"""Lists a page at a time, with a cursor that a row added or removed does not upset."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from api.errors import BadRequest

PAGE = 100  # as many as Replicate sends at a time (its API description)

Place = tuple[float, str]
"""When a row was made, and its id."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursor:
    """A page's edge: at most one of the two is given."""

    before: Place | None = None
    """The page holds what is older."""
    after: Place | None = None
    """The page holds what is newer."""


def read_cursor(text: str | None) -> Cursor:
    """The cursor of a `next` or `previous` address; that of the first page where there is none.

    Raises:
        BadRequest: we never gave this one.
    """
    if not text:
        return Cursor()
    try:
        direction, time, id = base64.urlsafe_b64decode(text).decode().split(" ")
        return Cursor(**{{"<": "before", ">": "after"}[direction]: (float(time), id)})
    except (binascii.Error, ValueError, KeyError):
        raise BadRequest("The cursor is not one of ours; take the address from `next`.") from None


def page(
    rows: Sequence[Row],
    cursor: Cursor,
    url: str,
    *,
    place: Callable[[Row], Place],
    shape: Callable[[Row], dict[str, Any]],
    size: int = PAGE,
) -> dict[str, Any]:
    """A page in Replicate's shape.

    Args:
        rows: newest first, and one more than a page holds where there are more.
        url: absolute, since a client appends what is relative to the wrong place.
    """
    is_more = len(rows) > size
    shown = (rows[-size:] if cursor.after else rows[:size]) if is_more else rows
    older = bool(shown) and (is_more if not cursor.after else True)
    newer = bool(shown) and (is_more if cursor.after else cursor.before is not None)
    return {
        "next": _address(url, "<", place(shown[-1])) if older else None,
        "previous": _address(url, ">", place(shown[0])) if newer else None,
        "results": [shape(row) for row in shown],
    }


def _address(url: str, direction: str, place: Place) -> str:
    time, id = place
    cursor = base64.urlsafe_b64encode(f"{direction} {time!r} {id}".encode()).decode()
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({'cursor': cursor})}"
