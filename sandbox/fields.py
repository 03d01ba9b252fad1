"""Typed values from a request's body."""

import re

from sandbox import errors
from sandbox.body import Body


class Fields:
    """Reads typed values; a null or absent field is ``None``. Forms send numbers as text."""

    def __init__(self, body: Body) -> None:
        self._values = body.fields
        self._form = body.form

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise errors.wrong_type(name, "a string", _type_name(value))

    def bounded_text(self, name: str, longest: int) -> str | None:
        value = self.text(name)
        if value is not None and len(value) > longest:
            raise errors.text_too_long(name, len(value), longest)
        return value

    def choice(self, name: str, supported: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is not None and value not in supported:
            raise errors.not_among(name, value, supported)
        return value

    def integer(self, name: str, minimum: int, maximum: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if self._form and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise errors.wrong_type(name, "an integer", _type_name(value))
        if value > maximum:
            raise errors.integer_above(name, value, maximum)
        if value < minimum:
            raise errors.integer_below(name, value, minimum)
        return value

    def boolean(self, name: str) -> bool:
        value = self._values.get(name)
        if self._form and value in ("true", "false"):
            return value == "true"
        if value is None or isinstance(value, bool):
            return bool(value)
        raise errors.wrong_type(name, "a boolean", _type_name(value))


def _type_name(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a decimal number", list: "an array"}
    return names.get(type(value), "an object")
