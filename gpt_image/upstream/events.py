"""A streamed answer, read as the plain one that it stands for.

Server-sent events as OpenAI's OpenAPI document has them: `event:` and `data:` lines, a blank line
after each event. What OpenAI itself never sends, and gateways do, is passed over: comments, events
of other types, `[DONE]`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

EVENT_STREAM = "text/event-stream"

_BLANK_LINE = re.compile(r"\r?\n\r?\n")
_FIELD = re.compile(r"^(event|data): ?(.*?)\r?$", re.MULTILINE)
# A number in place of image data, as AnswerStream leaves it, in an event that broke off.
_IMAGE = re.compile(r'"b64_json"\s*:\s*"(\d{1,2})"')

_PARTIAL = "partial_image"


def as_answer(text: str, content_type: str) -> dict[str, Any] | None:
    """`data`, `usage` and `error` as a plain answer has them; None where these are no events.

    Each completed event is one image, and its usage that image's (how several images stream is
    not documented).
    """
    events = list(_events(text))
    if not events and not content_type.startswith(EVENT_STREAM):
        return None
    images = [image for event in events for image in _images(event)]
    usages = [event["usage"] for event in events if isinstance(event.get("usage"), dict)]
    errors = [error for event in events if (error := _error(event))]
    return {
        "data": images,
        "usage": _sum(usages),
        "error": errors[0] if errors else None,
    }


def _events(text: str) -> Iterator[Mapping[str, Any]]:
    for block in _BLANK_LINE.split(text):
        fields = _FIELD.findall(block)
        data = "\n".join(value for name, value in fields if name == "data")
        named = next((value for name, value in fields if name == "event"), "")
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            event = _broken_off(data)
        if isinstance(event, dict):
            yield {"type": named} | event


def _broken_off(data: str) -> dict[str, Any] | None:
    """What is left of an event without its end: an image that came whole is paid for."""
    image = _IMAGE.search(data)
    if not image:
        return None
    kind = {"type": _PARTIAL} if _PARTIAL in data else {}
    return {"b64_json": image[1], **kind}


def _images(event: Mapping[str, Any]) -> list[object]:
    if str(event["type"]).endswith(_PARTIAL) or _error(event):
        return []
    if isinstance(data := event.get("data"), list):  # a gateway's plain answer in one event
        return data
    return [event] if "b64_json" in event or "url" in event else []


def _error(event: Mapping[str, Any]) -> object:
    return event.get("error") or (event if event["type"] == "error" else None)


def _sum(usages: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts of several events, details included; what is no number is the first one's."""
    if not usages:
        return {}
    first, *others = usages
    total = dict(first)
    for name, value in first.items():
        rest = [other.get(name) for other in others]
        if isinstance(value, dict):
            total[name] = _sum([value, *(each for each in rest if isinstance(each, dict))])
        elif type(value) is int:
            total[name] = value + sum(each for each in rest if type(each) is int)
    return total
