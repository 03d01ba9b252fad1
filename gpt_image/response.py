"""From a received answer to images and usage; catches every answer that only looks like success."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpt_image.answer_stream import AnswerStream
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable
from gpt_image.upstream_errors import clean


@dataclass(frozen=True)
class Answer:
    """What an upstream answered: at least one image, in its order."""

    images: list[Path | str]
    """Files as received, or http(s) URLs that gateways answer with."""
    unusable: list[str] = field(default_factory=list)
    """Why each of the other images that were asked for cannot be had."""
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
    except ValueError:
        return _cut_off(stream, asked, content_type)
    if not isinstance(body, dict):
        raise _no_image("something that is no answer of the Images API")
    data = body.get("data")
    entries = data if isinstance(data, list) else []
    images: list[Path | str] = []
    unusable: list[str] = []
    for number, entry in enumerate(entries, start=1):
        image = _image(entry, stream.files)
        if image is None:
            unusable.append(f"image {number} has no readable data")
        else:
            images.append(image)
    if not images:
        raise _no_image(_instead_of_images(body, entries, private))
    unusable += [f"image {n} is missing" for n in range(len(entries) + 1, asked + 1)]
    usage = body.get("usage")
    return Answer(images, unusable, usage if isinstance(usage, dict) else {})


def _image(entry: object, files: list[Path | None]) -> Path | str | None:
    if not isinstance(entry, dict):
        return None
    for name in ("b64_json", "url"):
        value = entry.get(name)
        if isinstance(value, str) and value.isdecimal() and int(value) < len(files):
            return files[int(value)]
        if name == "url" and isinstance(value, str) and value:
            return value
    return None


def _cut_off(stream: AnswerStream, asked: int, content_type: str) -> Answer:
    """What arrived whole before the body broke off is paid for and goes to the caller."""
    images: list[Path | str] = [file for file in stream.files if file]
    if not images:
        kind = content_type.partition(";")[0].strip()
        raise _no_image(f"{clean(kind, {}, 60) or 'something'} that is not readable as JSON")
    lost = max(asked, len(stream.files)) - len(images)
    return Answer(images, ["the answer broke off"] * lost)


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
