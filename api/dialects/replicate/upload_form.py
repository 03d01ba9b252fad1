"""The form that creates a file, in the ways in which Replicate's clients fill it in."""

import re
from typing import Any

from api.body import json_object
from api.errors import BadRequest, Unprocessable
from api.files.form import Part

_KEY = re.compile(r"metadata((?:\[[^\[\]]+\])+)")
_DEEPEST = 8  # keys within keys


class Description:
    """What a form says of its file, in parts before or after it."""

    def __init__(self) -> None:
        self.name = ""
        self.content_type: str | None = None
        self.metadata: dict[str, Any] = {}

    def of_content(self, part: Part) -> None:
        """What the part with the file says itself; parts of their own say it better."""
        self.name = self.name or part.filename
        self.content_type = self.content_type or part.content_type or None

    async def add(self, part: Part) -> None:
        """Another part; unknown ones mean nothing.

        Raises:
            ApiError: it is no text, too long, or no JSON object where there should be one.
        """
        if part.name == "metadata":  # a field, or a file named blob from JavaScript
            self.metadata |= _json_object(await part.text())
        elif key := _KEY.fullmatch(part.name):  # from clients that Stainless generates
            self._set_metadata(key[1][1:-1].split("]["), await part.text())
        elif part.name == "filename":
            self.name = await part.text()
        elif part.name == "type":
            self.content_type = await part.text()

    def _set_metadata(self, keys: list[str], value: str) -> None:
        *outer, last = keys
        target = self.metadata
        for key in outer[:_DEEPEST]:
            inner = target.setdefault(key, {})
            target = inner if isinstance(inner, dict) else target
        target[last] = value


def _json_object(text: str) -> dict[str, Any]:
    try:
        return {} if text.strip() == "null" else json_object(text.encode())
    except BadRequest:
        raise Unprocessable("metadata must be a JSON object.") from None
