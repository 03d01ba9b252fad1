"""The form of a model that is not ours: whatever Cog can describe."""

import json
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.api.playground.conftest import Visit

pytestmark = pytest.mark.browser

INPUTS: dict[str, Any] = {
    "text": {"type": "string", "x-order": 0, "description": "What to say"},
    "voice": {"allOf": [{"$ref": "#/components/schemas/voice"}], "default": "low", "x-order": 1},
    "speed": {"type": "number", "minimum": 0.5, "maximum": 2, "default": 1, "x-order": 2},
    "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "x-order": 3},
    "is_loud": {"type": "boolean", "default": False, "x-order": 4},
    "words": {"type": "array", "items": {"type": "string"}, "default": [], "x-order": 5},
    "sample": {"type": "string", "format": "uri", "nullable": True, "x-order": 6},
    "mask": {"type": "string", "format": "uri", "nullable": True, "x-order": 7},
    "licence": {"type": "string", "format": "password", "writeOnly": True, "x-order": 8},
}
VOICES = ["low", "high", "hoarse", "clear", "soft", "sung"]
DOCUMENT = {
    "components": {
        "schemas": {
            "Input": {"type": "object", "properties": INPUTS, "required": ["text"]},
            "voice": {"type": "string", "enum": VOICES},
        }
    }
}
MODELS = {
    "results": [
        {"owner": "acme", "name": "speaker", "latest_version": {"openapi_schema": DOCUMENT}},
    ]
}


@pytest.fixture
def speaker(visit: Visit) -> Page:
    """The page, told of another model; all else is the API's own."""
    page = visit()
    page.route("**/v1/models", lambda route: route.fulfill(json=MODELS))
    page.reload()
    page.get_by_text("acme/speaker").wait_for()
    return page


def sent_by(page: Page) -> dict[str, Any]:
    """The input that a click on Run sends."""
    bodies: list[dict[str, Any]] = []

    def keep(route: Route) -> None:
        bodies.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=422, json={"detail": "Kept.", "status": 422})

    page.route("**/v1/models/acme/speaker/predictions", keep)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".said")).to_have_text("Kept.")
    (body,) = bodies
    return dict(body["input"])


def test_what_nobody_has_changed_is_left_to_the_model(speaker: Page) -> None:
    speaker.get_by_label("Text").fill("Good evening")
    assert sent_by(speaker) == {"text": "Good evening"}


def test_every_kind_of_input_has_a_control(speaker: Page) -> None:
    for group in speaker.locator("details").all():
        group.evaluate("(group) => (group.open = true)")
    speaker.get_by_label("Text").fill("Good evening")
    speaker.get_by_label("Voice").select_option("sung")
    speaker.get_by_label("Speed").fill("1.5")
    speaker.get_by_label("Seed").fill("0")
    speaker.get_by_label("Is loud").check()
    speaker.get_by_label("Words").fill('["one", "two"]')
    speaker.get_by_label("Licence").fill("made-up")
    file = FilePayload(name="mask.png", mimeType="image/png", buffer=b"\x89PNG\r\n\x1a\n")
    speaker.locator("#input-mask").set_input_files([file])
    sent = sent_by(speaker)
    assert "/v1/files/" in sent.pop("mask")
    assert sent == {
        "text": "Good evening",
        "voice": "sung",
        "speed": 1.5,
        "seed": 0,
        "is_loud": True,
        "words": ["one", "two"],
        "licence": "made-up",
    }


def test_nothing_is_promised_of_a_model_without_figures(speaker: Page) -> None:
    expect(speaker.locator("#estimate")).to_have_text("")
