"""A successful answer as server-sent events, by OpenAI's OpenAPI document.

How several images stream is documented nowhere. Assumed here: each has a completed event, in their
order, whose usage counts that image, and the first event's the input as well.
"""

import json
from collections.abc import Iterator

from sandbox.answer import PLACE, Draft, Slot, filled_in

KEEP_ALIVE = b": keep-alive\n\n"

_SHARED = ("size", "quality", "background", "output_format")


def encode(draft: Draft, kind: str) -> bytes:
    """Return the body: an answer without images is a stream without events."""
    blobs: list[bytes] = []
    pieces: list[bytes] = []
    for number, slot in enumerate(draft.data or []):
        usage = _usage_of_one(draft, number)
        events = _events_of(draft, slot, kind, usage, blobs)
        pieces += [written(str(event["type"]), event) for event in events]
    return filled_in(b"".join(pieces), blobs, escape_slashes=draft.escape_slashes)


def written(name: str, data: dict[str, object]) -> bytes:
    """Return one event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _events_of(
    draft: Draft, slot: Slot, kind: str, usage: object, blobs: list[bytes]
) -> Iterator[dict[str, object]]:
    shared = {name: draft.envelope[name] for name in _SHARED}
    if "created" in draft.envelope:
        shared["created_at"] = draft.envelope["created"]
    for index, partial in enumerate(slot.partials):
        blobs.append(partial)
        name = f"{kind}.partial_image"
        yield {"type": name, "b64_json": PLACE, **shared, "partial_image_index": index}
    completed = {"type": f"{kind}.completed", **slot.fields(blobs), **shared}
    if usage is not None:
        completed["usage"] = usage
    if "safety_identifier" in draft.envelope:
        completed["safety_identifier"] = draft.envelope["safety_identifier"]
    yield completed


def _usage_of_one(draft: Draft, number: int) -> object:
    whole = draft.envelope.get("usage")
    if not isinstance(whole, dict):
        return None
    output = whole["output_tokens"] // max(1, len(draft.images))
    details = whole.get("input_tokens_details")
    read = whole["input_tokens"]
    if number > 0:
        read, details = 0, details and dict.fromkeys(details, 0)
    usage = {"total_tokens": read + output, "input_tokens": read, "output_tokens": output}
    return {**usage, "input_tokens_details": details} if details else usage
