"""From a received answer to images and usage; catches every answer that only looks like success."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpt_image.errors import BILLED_NOTE, AnswerNotUsable
from gpt_image.upstream import events
from gpt_image.upstream.answer_stream import AnswerStream
from gpt_image.upstream.asked import Asked
from gpt_image.upstream.base64_file import Base64File
from gpt_image.upstream.refusal import Refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What an upstream answered, by each image's number in it from 1: at least one image."""

    images: Mapping[int, Base64File | str]
    """In ascending order: image data as received, or URLs that gateways answer with."""
    unusable: Mapping[int, str] = field(default_factory=dict)
    """Why each of the other images that were asked for cannot be had, as in "is missing"."""
    has_more: bool = False
    """Whether more image data was received than is used."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """The answer's `usage`, as the upstream wrote it; empty where it wrote none."""
    svg_usage: Mapping[str, Any] = field(default_factory=dict)
    """Likewise, in answers with an svg."""


def understand(stream: AnswerStream, *, headers: Mapping[str, str], asked: Asked) -> Answer:
    """What an answer with a 2xx status holds.

    Raises:
        AnswerNotUsable: it holds no image at all.
    """
    try:
        return _understand(stream, headers, asked)
    except AnswerNotUsable as error:
        error.status = 200
        error.request_id = asked.door.request_id(headers.get("x-request-id")) or None
        raise


def _understand(stream: AnswerStream, headers: Mapping[str, str], asked: Asked) -> Answer:
    content_type = headers.get("content-type", "")
    try:
        body = json.loads(bytes(stream.text))
    except (ValueError, RecursionError):
        body = events.as_answer(stream.text.decode("utf-8", "replace"), content_type)
        if body is None:
            return _cut_off(stream, content_type, asked)
        if not body["data"] and isinstance(body["error"], dict):
            refusal = Refusal(200, headers, body["error"], asked).explained_in_stream()
            if refusal:
                raise refusal from None
    if not isinstance(body, dict):
        raise _no_image("something that is no answer of the Images API")
    data = body.get("data")
    entries = data if isinstance(data, list) else []
    if len(entries) > asked.request.n:
        log.warning("The upstream sent %d images instead of %d.", len(entries), asked.request.n)
        entries = entries[: asked.request.n]
    images: dict[int, Base64File | str] = {}
    unusable: dict[int, str] = {}
    for number, entry in enumerate(entries, start=1):
        image = _image(entry, stream.files)
        if image is None:
            unusable[number] = "has no readable data"
        else:
            images[number] = image
    if not images:
        raise _instead_of_images(body, entries, asked)
    unusable |= dict.fromkeys(range(len(entries) + 1, asked.request.n + 1), "is missing")
    if body.get("error"):
        log.warning("The upstream's answer ended with an error.")
    has_more = len(images) < sum(file is not None for file in stream.files)
    return Answer(images, unusable, has_more, _object(body, "usage"), _object(body, "svg_usage"))


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _image(entry: object, files: list[Base64File | None]) -> Base64File | str | None:
    """The first field that holds something: gateways send both and leave one of them empty."""
    if not isinstance(entry, dict):
        return None
    for name in ("b64_json", "url"):
        value = entry.get(name)
        if not isinstance(value, str):
            continue
        # At most two digits, since AnswerStream takes no more images than that.
        if len(value) <= 2 and value.isdecimal() and int(value) < len(files):
            if file := files[int(value)]:
                return file
        elif name == "url" and value:
            return value
    return None


def _cut_off(stream: AnswerStream, content_type: str, asked: Asked) -> Answer:
    """What arrived whole before the body broke off is paid for and goes to the caller."""
    received = dict(enumerate(stream.files[: asked.request.n], start=1))
    images: dict[int, Base64File | str] = {
        number: file for number, file in received.items() if file
    }
    if not images:
        kind = asked.door.media_type(content_type) or "something"
        raise _no_image(f"{kind} that cannot be read as JSON")
    lost = set(range(1, asked.request.n + 1)) - set(images)
    has_more = len(stream.files) > asked.request.n
    return Answer(images, dict.fromkeys(lost, "is missing because the answer broke off"), has_more)


def _instead_of_images(
    body: Mapping[str, Any], entries: list[Any], asked: Asked
) -> AnswerNotUsable:
    said = body.get("error")
    if not said:
        return _no_image("images without readable data" if entries else "no images")
    fields = said if isinstance(said, dict) else {"message": said}
    message = asked.door.message(fields.get("message")).rstrip(".") or "without a message"
    error = _no_image(f"an error instead of images ({message})")
    error.code = asked.door.name(fields.get("code") or fields.get("type")) or None
    error.param = asked.door.name(fields.get("param")) or None
    return error


def _no_image(what: str) -> AnswerNotUsable:
    return AnswerNotUsable(
        f"The upstream answered with success but sent {what}; {BILLED_NOTE}; "
        "have the operator look at the upstream."
    )
