"""A successful answer, from rendered images to the bytes of its JSON body."""

import base64
import json
import math
import time
import uuid
from dataclasses import dataclass, field, replace

from sandbox.job import Job, Usage

EVENT_STREAM = "text/event-stream; charset=utf-8"
_EVENT_NAMES = {"generations": "image_generation", "edits": "image_edit"}

SVG_AUTHOR = "gpt-5"

# No caller can guess it and have it echoed, as with safety_identifier.
PLACE = uuid.uuid4().hex
"""Stands for an image's base64 until `filled_in`."""


@dataclass
class Slot:
    """One element of ``data``: base64, a URL, or neither."""

    b64: bytes | None = None
    url: str | None = None
    partials: list[bytes] = field(default_factory=list)
    """The same image unfinished, in base64; streams have them."""

    def fields(self, blobs: list[bytes]) -> dict[str, str | None]:
        """Return what it says of the image; base64 goes to ``blobs``, and its place is kept."""
        if self.url is not None:
            return {"url": self.url}
        if self.b64 is None:
            return {"b64_json": None}
        blobs.append(self.b64)
        return {"b64_json": PLACE}


@dataclass
class Draft:
    """An answer that faults and gateways may still change.

    ``data`` is ``None`` where the answer says ``"data": null``.
    """

    envelope: dict[str, object]
    data: list[Slot] | None
    images: list[bytes]
    stream: str = ""
    """What its events are called before the dot; empty for a plain answer."""
    content_type: str = "application/json"
    escape_slashes: bool = False
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def draft(job: Job, usage: Usage, images: list[bytes], slots: list[Slot]) -> Draft:
    """Return the answer as OpenAI would send it; ``slots`` hold ``images`` in base64."""
    envelope: dict[str, object] = {
        "created": int(time.time()),
        "background": job.background,
        "output_format": job.output_format,
        "quality": job.quality,
        "size": str(job.size),
        "usage": usage.body(),
    }
    if job.safety_identifier is not None:
        envelope["safety_identifier"] = job.safety_identifier
    if job.output_format == "svg":
        envelope["svg_usage"] = svg_usage(images[0])
    # Copies, since a fault may change them and a prerendered one serves many answers.
    copies = [replace(slot) for slot in slots]
    if job.stream:
        return Draft(envelope, copies, images, _EVENT_NAMES[job.endpoint], EVENT_STREAM)
    return Draft(envelope, copies, images)


def svg_usage(image: bytes) -> dict[str, object]:
    """Return what the author of an svg is billed for. Its model and counts are assumed."""
    read, written = 320, math.ceil(len(image) / 3)
    return {
        "input_tokens": read,
        "model": SVG_AUTHOR,
        "output_tokens": written,
        "reasoning_tokens": 0,
        "total_tokens": read + written,
    }


def to_base64(images: list[bytes]) -> list[bytes]:
    """Return each image as base64 text."""
    return [base64.b64encode(image) for image in images]


def encode(draft: Draft) -> bytes:
    """Return the body of a plain answer."""
    blobs: list[bytes] = []
    data = None if draft.data is None else [slot.fields(blobs) for slot in draft.data]
    text = json.dumps({**draft.envelope, "data": data}).encode()
    return filled_in(text, blobs, escape_slashes=draft.escape_slashes)


def filled_in(text: bytes, blobs: list[bytes], *, escape_slashes: bool) -> bytes:
    """Return the text with base64 in its places.

    It is joined in as bytes, because scanning megabytes for quotes takes long.
    """
    pieces = text.split(f'"{PLACE}"'.encode())
    joined = [pieces[0]]
    for blob, piece in zip(blobs, pieces[1:], strict=True):
        escaped = blob.replace(b"/", b"\\/") if escape_slashes else blob
        joined += [b'"', escaped, b'"', piece]
    return b"".join(joined)
