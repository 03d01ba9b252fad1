"""Answers that arrive late, in part, or with something else than was asked for."""

import base64
import binascii
import io
import json
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests
from PIL import Image

from sandbox.faults import FAULTS
from tests.sandbox.conftest import MODEL, Api


def ask(api: Api, marker: str, **fields: object) -> requests.Response:
    return api.generate(prompt=f"A fox [sandbox:{marker}]", **fields)


def broken_off(api: Api, marker: str) -> None:
    with pytest.raises(requests.RequestException):
        ask(api, marker)
    entry = api.ledger()[0]
    assert entry["disconnected"]
    assert not entry["delivered"]


def is_reset(api: Api, marker: str) -> None:
    with pytest.raises(openai.APIConnectionError) as caught:
        api.sdk().images.generate(model=MODEL, prompt=f"A fox [sandbox:{marker}]")
    assert "reset" in str(caught.value.__cause__).lower()


def drips(api: Api) -> None:
    began = time.monotonic()
    assert ask(api, "slow-drip seconds=0.3").json()["data"]
    assert time.monotonic() - began > 0.25


def stalls(api: Api) -> None:
    with pytest.raises(openai.APITimeoutError):
        api.sdk(timeout=0.3).images.generate(model=MODEL, prompt="A fox [sandbox:stall]")
    give_up = time.monotonic() + 60
    while not api.ledger()[0]["billed"] and time.monotonic() < give_up:
        time.sleep(0.02)  # a busy machine may still be drawing


def cut_json(api: Api) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask(api, "truncated-json").text)


def payloads(api: Api, marker: str, n: int = 3) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = ask(api, marker, n=n).json()["data"]
    return data


def good(slot: dict[str, Any]) -> bool:
    """Whether a slot holds a whole image."""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(slot["b64_json"], validate=True)))
        image.load()
    except (binascii.Error, OSError, SyntaxError, TypeError):
        return False
    return True


def bad_images(marker: str, expected: list[bool]) -> Callable[[Api], None]:
    def check(api: Api) -> None:
        assert [good(slot) for slot in payloads(api, marker)] == expected

    return check


def links(marker: str, statuses: list[int]) -> Callable[[Api], None]:
    def check(api: Api) -> None:
        url = payloads(api, marker, n=1)[0]["url"]
        answers = [api.http.get(url, timeout=60) for _ in statuses]
        assert [answer.status_code for answer in answers] == statuses
        if statuses[-1] == 200:
            assert Image.open(io.BytesIO(answers[-1].content)).size == (1024, 1024)

    return check


def redirects(api: Api) -> None:
    answer = api.http.get(payloads(api, "url-redirect", n=1)[0]["url"], timeout=60)
    assert answer.history
    assert Image.open(io.BytesIO(answer.content))


def is_html(api: Api) -> None:
    answer = ask(api, "html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def is_error(api: Api) -> None:
    answer = ask(api, "error-200")
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == "image_generation_failed"


def is_error_event(api: Api) -> None:
    answer = ask(api, "event-error code=moderation_blocked", stream=True)
    assert answer.status_code == 200
    assert answer.text.startswith("event: error\ndata: ")
    error = json.loads(answer.text.partition("data: ")[2])["error"]
    assert error["code"] == "moderation_blocked"
    assert answer.headers["x-request-id"] in error["message"]


def other_format(api: Api) -> None:
    data = payloads(api, "other-format format=jpeg", n=1)[0]["b64_json"]
    assert Image.open(io.BytesIO(base64.b64decode(data))).format == "JPEG"


def has_data(marker: str, expected: object) -> Callable[[Api], None]:
    def check(api: Api) -> None:
        assert ask(api, marker).json()["data"] == expected

    return check


SPOILED: dict[str, Callable[[Api], None]] = {
    "reset-before-read": lambda api: is_reset(api, "reset-before-read"),
    "reset-after-read": lambda api: is_reset(api, "reset-after-read"),
    "reset-in-body": lambda api: broken_off(api, "reset-in-body"),
    "truncated-body": lambda api: broken_off(api, "truncated-body"),
    "stall": stalls,
    "slow-drip": drips,
    "truncated-json": cut_json,
    "corrupt-base64": bad_images("corrupt-base64 image=2", [True, False, True]),
    "corrupt-base64-all": bad_images("corrupt-base64-all", [False, False, False]),
    "truncated-image": bad_images("truncated-image", [True, True, False]),
    "b64-null": bad_images("b64-null image=1", [False, True, True]),
    "fewer-images": bad_images("fewer-images", [True, True]),
    "html": is_html,
    "error-200": is_error,
    "event-error": is_error_event,
    "data-null": has_data("data-null", None),
    "data-empty": has_data("data-empty", []),
    "url": links("url", [200]),
    "url-404-once": links("url-404-once", [404, 200]),
    "url-500-once": links("url-500-once", [500, 200]),
    "url-404": links("url-404", [404, 404]),
    "url-redirect": redirects,
    "other-format": other_format,
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_broken_answer_is_broken_in_its_own_way(api: Api, name: str) -> None:
    SPOILED[name](api)
    entry = api.ledger()[0]
    assert entry["fault"] == name
    assert entry["billed"] == FAULTS[name].billed
