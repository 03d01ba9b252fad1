"""From a received answer to images and usage; catches every answer that only looks like success."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpt_image.errors import BILLED_NOTE, AnswerNotUsable
from gpt_image.upstream.answer_stream import AnswerStream
from gpt_image.upstream.base64_file import Base64File
from gpt_image.upstream.explain import clean

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What an upstream answered, by each image's number in it from 1: at least one image."""

    images: Mapping[int, Base64File | str]
    """In ascending order: image data as received, or URLs that gateways answer with."""
    unusable: Mapping[int, str] = field(default_factory=dict)
    """Why each of the other images that were asked for cannot be had, as in "is missing"."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """The answer's `usage`, as the upstream wrote it; empty where it wrote none."""


def understand(
    stream: AnswerStream, *, asked: int, content_type: str, private: Mapping[str, str]
) -> Answer:
    """The answer behind a 2xx status.

    Args:
        asked: how many images were asked for.
        private: texts that must not be repeated, each with what to write in its place.

    Raises:
        AnswerNotUsable: it holds no image at all.
    """
    try:
        body = json.loads(bytes(stream.text))
    except (ValueError, RecursionError):
        return _cut_off(stream, asked, content_type)
    if not isinstance(body, dict):
        raise _no_image("something that is no answer of the Images API")
    data = body.get("data")
    entries = data if isinstance(data, list) else []
    if len(entries) > asked:
        log.warning("The upstream sent %d images instead of %d.", len(entries), asked)
        entries = entries[:asked]
    images: dict[int, Base64File | str] = {}
    unusable: dict[int, str] = {}
    for number, entry in enumerate(entries, start=1):
        image = _image(entry, stream.files)
        if image is None:
            unusable[number] = "has no readable data"
        else:
            images[number] = image
    if not images:
        raise _no_image(_instead_of_images(body, entries, private))
    unusable |= dict.fromkeys(range(len(entries) + 1, asked + 1), "is missing")
    usage = body.get("usage")
    return Answer(images, unusable, usage if isinstance(usage, dict) else {})


def _image(entry: object, files: list[Base64File | None]) -> Base64File | str | None:
    """The first that holds something: gateways send both fields and leave one of them empty."""
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


def _cut_off(stream: AnswerStream, asked: int, content_type: str) -> Answer:
    """What arrived whole before the body broke off is paid for and goes to the caller."""
    received = dict(enumerate(stream.files[:asked], start=1))
    images: dict[int, Base64File | str] = {
        number: file for number, file in received.items() if file
    }
    if not images:
        kind = content_type.partition(";")[0].strip()
        raise _no_image(f"{clean(kind, {}, 60) or 'an unnamed type'}, not readable as JSON")
    lost = set(range(1, asked + 1)) - set(images)
    return Answer(images, dict.fromkeys(lost, "is missing because the answer broke off"))


def _instead_of_images(
    body: Mapping[str, Any], entries: list[Any], private: Mapping[str, str]
) -> str:
    error = body.get("error")
    if error:
        message = error.get("message") if isinstance(error, dict) else error
        return f"an error behind a success status ({clean(str(message), private)})"
    return "images without readable data" if entries else "no images"


def _no_image(what: str) -> AnswerNotUsable:
    return AnswerNotUsable(
        f"The upstream answered with success but sent {what}; {BILLED_NOTE}; "
        "try again if you accept that, or have the operator look at the upstream."
    )
