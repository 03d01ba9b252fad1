"""Answers as events: their shapes, their order, what they cost."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

from PIL import Image

from tests.sandbox.conftest import MODEL, Api, png, upload
from tests.sandbox.facts.fact import GUIDE, OURS, SDK, SPEC, Check, Fact, header

Event = dict[str, Any]

_SHARED = {"type", "b64_json", "created_at", "size", "quality", "background", "output_format"}
_USAGE = {"total_tokens", "input_tokens", "output_tokens", "input_tokens_details"}


def events_of(body: str) -> list[Event]:
    """The events of a body, each line for line as the document has it."""
    events = []
    assert body.endswith("\n\n")
    for block in body.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event: Event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def streamed(api: Api, **fields: object) -> list[Event]:
    answer = api.generate(stream=True, **fields)
    assert answer.status_code == 200, answer.text
    return events_of(answer.text)


def _stream_has(holds: Callable[[list[Event]], object], **fields: object) -> Check:
    def check(api: Api) -> None:
        events = streamed(api, **fields)
        assert holds(events), [event["type"] for event in events]

    return check


def _types(events: list[Event]) -> list[str]:
    return [event["type"].rpartition(".")[2] for event in events]


def _edit_streams(api: Api) -> None:
    answer = api.edit([upload(png())], stream="true", partial_images="1")
    types = [event["type"] for event in events_of(answer.text)]
    assert types == ["image_edit.partial_image", "image_edit.completed"]


def _costs_as_much_as_plain(api: Api) -> None:
    plain = api.generate().json()["usage"]
    with_partials = streamed(api, partial_images=2)[-1]["usage"]
    assert with_partials["output_tokens"] == plain["output_tokens"] + 200


def _sdk_reads_it(api: Api) -> None:
    stream = api.sdk().images.generate(
        model=MODEL, prompt="A fox", size="1024x1024", stream=True, partial_images=1
    )
    assert [event.type.rpartition(".")[2] for event in stream] == ["partial_image", "completed"]


def _is_a_picture(event: Event) -> bool:
    image = Image.open(io.BytesIO(base64.b64decode(event["b64_json"], validate=True)))
    return bool(f"{image.width}x{image.height}" == event["size"])


def _several(api: Api) -> None:
    events = streamed(api, n=3)
    plain = api.generate(n=3).json()["usage"]
    assert _types(events) == ["completed"] * 3
    for name in ("input_tokens", "output_tokens", "total_tokens"):
        assert sum(event["usage"][name] for event in events) == plain[name]


def _refuses_first(api: Api) -> None:
    answer = api.generate(stream=True, size="bogus")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "size"


FACTS = (
    Fact("stream=true answers with events", "D", SPEC, header(
        "content-type", "text/event-stream.*", stream=True)),
    Fact("stream=false answers with JSON", "D", SPEC, header(
        "content-type", "application/json", stream=False)),
    Fact("partial_images 0 gives one completed event", "D", SPEC, _stream_has(
        lambda events: _types(events) == ["completed"], partial_images=0)),
    Fact("stream alone gives one completed event", "D", SPEC, _stream_has(
        lambda events: _types(events) == ["completed"])),
    Fact("partial images come before the completed one, counted from 0", "D", SPEC, _stream_has(
        lambda events: [e.get("partial_image_index") for e in events] == [0, 1, 2, None],
        partial_images=3)),
    Fact("partial images come as image_generation.partial_image", "D", SPEC, _stream_has(
        lambda events: events[0]["type"] == "image_generation.partial_image", partial_images=1)),
    Fact("the last event is image_generation.completed", "D", SPEC, _stream_has(
        lambda events: events[-1]["type"] == "image_generation.completed", partial_images=1)),
    Fact("edits stream as image_edit.partial_image and image_edit.completed", "D", SPEC,
         _edit_streams),
    Fact("a partial image has these fields", "D", SPEC, _stream_has(
        lambda events: set(events[0]) == _SHARED | {"partial_image_index"}, partial_images=1)),
    Fact("a completed event has these fields", "D", SPEC, _stream_has(
        lambda events: set(events[0]) == _SHARED | {"usage"})),
    Fact("a completed event names the safety_identifier", "D", SDK, _stream_has(
        lambda events: events[0]["safety_identifier"] == "user-7", safety_identifier="user-7")),
    Fact("the usage of an event has no output_tokens_details", "D", SPEC, _stream_has(
        lambda events: set(events[0]["usage"]) == _USAGE)),
    Fact("each partial image adds 100 output tokens", "D", GUIDE, _costs_as_much_as_plain),
    Fact("every event holds a whole picture of the size that it names", "D", SPEC, _stream_has(
        lambda events: all(map(_is_a_picture, events)), partial_images=2)),
    Fact("the SDK reads the events", "D", SDK, _sdk_reads_it),
    Fact("what is wrong with a request is said before a stream begins", "A", OURS, _refuses_first),
    Fact("several images stream as so many completed events, each with its own usage", "A", OURS,
         _several),
)  # fmt: skip
