"""A successful answer, from rendered images to the bytes of its JSON body."""

import base64
import json
import time
import uuid
from dataclasses import dataclass, field

from sandbox.job import Job, Usage

# No caller can guess it and have it echoed, as with safety_identifier.
_PLACE = uuid.uuid4().hex


@dataclass
class Slot:
    """One element of ``data``: base64, a URL, or neither."""

    b64: bytes | None = None
    url: str | None = None


@dataclass
class Draft:
    """An answer that faults and gateways may still change.

    ``data`` is ``None`` where the answer says ``"data": null``.
    """

    envelope: dict[str, object]
    data: list[Slot] | None
    images: list[bytes]
    content_type: str = "application/json"
    escape_slashes: bool = False
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def draft(job: Job, usage: Usage, images: list[bytes], encoded: list[bytes]) -> Draft:
    """Return the answer as OpenAI would send it; ``encoded`` are ``images`` in base64."""
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
    return Draft(envelope, [Slot(b64=each) for each in encoded], images)


def to_base64(images: list[bytes]) -> list[bytes]:
    """Return each image as base64 text."""
    return [base64.b64encode(image) for image in images]


def encode(draft: Draft) -> bytes:
    """Return the body. Base64 is joined in as bytes: scanning megabytes for quotes takes long."""
    if draft.body is not None:
        return draft.body
    blobs: list[bytes] = []
    data = None if draft.data is None else [_element(slot, blobs) for slot in draft.data]
    text = json.dumps({**draft.envelope, "data": data}).encode()
    pieces = text.split(f'"{_PLACE}"'.encode())
    joined = [pieces[0]]
    for blob, piece in zip(blobs, pieces[1:], strict=True):
        escaped = blob.replace(b"/", b"\\/") if draft.escape_slashes else blob
        joined += [b'"', escaped, b'"', piece]
    return b"".join(joined)


def _element(slot: Slot, blobs: list[bytes]) -> dict[str, str | None]:
    if slot.url is not None:
        return {"url": slot.url}
    if slot.b64 is None:
        return {"b64_json": None}
    blobs.append(slot.b64)
    return {"b64_json": _PLACE}
