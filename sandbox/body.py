"""Request bodies: JSON and multipart forms, read into the same shape."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from sandbox.errors import ApiError, duplicate_parameter
from sandbox.image_errors import images_part_name
from sandbox.job import Endpoint, Part

_IMAGE_NAMES = ("image", "image[]")


@dataclass
class Body:
    """What a request says: plain fields, and uploads in their order.

    ``form`` tells that the fields are text, as forms send them. ``parts`` keeps a form as it came.
    ``references`` are the images of a JSON edit, which wait for ``references.take_references``.
    """

    fields: dict[str, object] = field(default_factory=dict)
    images: list[Part] = field(default_factory=list)
    mask: Part | None = None
    markup: Part | None = None
    form: bool = False
    parts: list[Part] = field(default_factory=list)
    references: dict[str, object] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The prompt, or an empty string where there is none."""
        prompt = self.fields.get("prompt")
        return prompt if isinstance(prompt, str) else ""


def parse(endpoint: Endpoint, content_type: str, data: bytes) -> Body:
    """Read a request's body; raises ``ApiError`` when it is neither JSON nor a form."""
    kind, options = parse_options_header(content_type)
    if kind == b"application/json":
        return _from_json(endpoint, data)
    if kind == b"multipart/form-data" and endpoint == "edits" and b"boundary" in options:
        return _from_parts(split_form(options[b"boundary"], data))
    raise ApiError(400, f"Unsupported content type: '{content_type}'.")


def split_form(boundary: bytes, data: bytes) -> list[Part]:
    """Split a multipart body into its parts."""
    collector = _PartCollector()
    callbacks = cast(Any, collector.callbacks())
    parser = MultipartParser(boundary, callbacks)
    try:
        parser.write(data)
        parser.finalize()
    except FormParserError as error:
        raise _unreadable_form() from error
    if parser.state != MultipartState.END:
        raise _unreadable_form()
    return collector.parts


def _unreadable_form() -> ApiError:
    return ApiError(400, "Could not parse multipart form.")


class _PartCollector:
    """Gathers what the multipart parser calls out."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._data: list[bytes] = []

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_to_name,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._headers, self._data = {}, []

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = options.get(b"filename")
        content_type = self._headers.get(b"content-type")
        self.parts.append(
            Part(
                name=options.get(b"name", b"").decode("utf-8", "replace"),
                filename=None if filename is None else filename.decode("utf-8", "replace"),
                content_type=None if content_type is None else content_type.decode("latin-1"),
                data=b"".join(self._data),
            )
        )


def _from_parts(parts: list[Part]) -> Body:
    body = Body(form=True, parts=parts)
    for part in parts:
        if part.name in _IMAGE_NAMES:
            body.images.append(part)
        elif part.name == "mask":
            body.mask = part
        elif part.name == "markup":
            body.markup = part
        else:
            body.fields[part.name] = part.data.decode("utf-8", "replace")
    return body


def _from_json(endpoint: Endpoint, data: bytes) -> Body:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = "We could not parse the JSON body of your request."
        raise ApiError(400, message) from error
    if not isinstance(fields, dict):
        raise ApiError(400, "The JSON body of your request must be an object.")
    body = Body(fields=fields)
    if endpoint == "edits":
        body.references = {name: fields.pop(name, None) for name in ("images", "mask")}
    return body


def refuse_wrong_part_names(body: Body) -> None:
    """Raise the API's hint when a form calls its images ``images``."""
    if body.form and "images" in body.fields:
        raise images_part_name()


def refuse_repeated_parts(body: Body) -> None:
    """Raise when a form has several parts of one name that is not an array's, as ``image[]`` is."""
    for name, times in Counter(part.name for part in body.parts).items():
        if times > 1 and not name.endswith("[]"):
            raise duplicate_parameter(name)
