"""Every fault does what the table says, when it says so."""

import base64
import binascii
import io
import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import openai
import pytest
import requests
from PIL import Image

from dev.servers import sandbox_server
from sandbox.faults import FAULTS
from tests.sandbox.conftest import MODEL, Api

REFUSALS: dict[str, tuple[int, str, str | None]] = {
    "key-rejected": (401, "invalid_request_error", "invalid_api_key"),
    "organization-not-verified": (403, "invalid_request_error", None),
    "model-not-allowed": (403, "invalid_request_error", "model_not_found"),
    "unknown-model": (400, "image_generation_user_error", "invalid_value"),
    "quota": (429, "insufficient_quota", "insufficient_quota"),
    "credit-exhausted": (429, "insufficient_quota", "credit_balance_exhausted"),
    "organization-spend-limit": (429, "insufficient_quota", "organization_spend_limit_exceeded"),
    "project-spend-limit": (429, "insufficient_quota", "project_spend_limit_exceeded"),
    "organization-usage-limit": (429, "insufficient_quota", "organization_usage_limit_exceeded"),
    "hard-limit": (400, "billing_limit_user_error", "billing_hard_limit_reached"),
    "rate-limit": (429, "input-images", "rate_limit_exceeded"),
    "rate-limit-date": (429, "input-images", "rate_limit_exceeded"),
    "rate-limit-message": (429, "input-images", "rate_limit_exceeded"),
    "rate-limit-bare": (429, "input-images", "rate_limit_exceeded"),
    "request-too-large": (429, "input-images", "rate_limit_exceeded"),
    "slow-down": (429, "rate_limit_error", "slow_down"),
    "moderation": (400, "image_generation_user_error", "moderation_blocked"),
    "moderation-output": (400, "image_generation_user_error", "moderation_blocked"),
    "transparent-unsupported": (400, "image_generation_user_error", "invalid_value"),
    "unknown-parameter": (400, "invalid_request_error", "unknown_parameter"),
    "invalid-image": (400, "invalid_request_error", "invalid_image_file"),
    "image-too-large": (400, "invalid_request_error", "invalid_value"),
    "generation-failed": (500, "image_generation_server_error", "image_generation_failed"),
    "overloaded": (503, "service_unavailable_error", "server_is_overloaded"),
    "500-json": (500, "server_error", None),
    "502-json": (502, "server_error", None),
    "503-json": (503, "server_error", None),
    "504-json": (504, "server_error", None),
}
PAGES = ["413", "500", "502", "503", "504", "520", "524"]


def ask(api: Api, marker: str, **fields: object) -> requests.Response:
    return api.generate(prompt=f"A fox [sandbox:{marker}]", **fields)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_its_row_of_the_error_table(api: Api, name: str) -> None:
    answer = ask(api, name)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == REFUSALS[name]
    assert answer.headers["x-request-id"].startswith("req_")
    assert api.ledger()[0]["billed"] == FAULTS[name].billed


@pytest.mark.parametrize("status", PAGES)
def test_a_proxys_page_is_html_without_a_request_id(api: Api, status: str) -> None:
    answer = ask(api, f"{status}-html")
    assert answer.status_code == int(status)
    assert answer.headers["content-type"] == "text/html"
    assert "x-request-id" not in answer.headers


def test_rate_limits_say_when_in_each_of_their_ways(api: Api) -> None:
    seconds = ask(api, "rate-limit retry-after=12")
    assert seconds.headers["retry-after"] == "12"
    assert seconds.headers["retry-after-ms"] == "12000"
    date = parsedate_to_datetime(ask(api, "rate-limit-date retry-after=60").headers["retry-after"])
    assert 50 < date.timestamp() - time.time() < 61
    message = ask(api, "rate-limit-message retry-after=12")
    assert "retry-after" not in message.headers
    assert message.json()["error"]["message"].endswith("Please try again in 12s.")
    short = ask(api, "rate-limit-message retry-after=0.467")
    assert short.json()["error"]["message"].endswith("Please try again in 467ms.")
    bare = ask(api, "rate-limit-bare")
    assert "retry-after" not in bare.headers
    assert "try again" not in bare.text


def test_a_used_up_limit_says_so_in_its_headers_as_in_its_message(api: Api) -> None:
    headers = ask(api, "rate-limit retry-after=12").headers
    assert headers["x-ratelimit-limit-input-images"] == "5"
    assert headers["x-ratelimit-remaining-input-images"] == "0"
    assert headers["x-ratelimit-reset-input-images"] == "12s"


def test_a_request_over_the_limit_says_how_many_were_asked_and_how_many_go(api: Api) -> None:
    answer = ask(api, "request-too-large limit=0 requested=3")
    assert "input-images per min: Limit 0, Requested 3." in answer.json()["error"]["message"]
    assert "retry-after" not in answer.headers


def test_a_billing_refusal_can_have_another_type_as_gateways_give_it(api: Api) -> None:
    error = ask(api, "project-spend-limit type=requests").json()["error"]
    assert (error["type"], error["code"]) == ("requests", "project_spend_limit_exceeded")


def test_moderation_tells_stage_categories_and_the_request_id(api: Api) -> None:
    answer = ask(api, "moderation-output")
    error = answer.json()["error"]
    assert error["moderation_details"] == {"moderation_stage": "output", "categories": ["violence"]}
    assert answer.headers["x-request-id"] in error["message"]


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
    give_up = time.monotonic() + 10
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
        answers = [api.http.get(url, timeout=5) for _ in statuses]
        assert [answer.status_code for answer in answers] == statuses
        if statuses[-1] == 200:
            assert Image.open(io.BytesIO(answers[-1].content)).size == (1024, 1024)

    return check


def redirects(api: Api) -> None:
    answer = api.http.get(payloads(api, "url-redirect", n=1)[0]["url"], timeout=5)
    assert answer.history
    assert Image.open(io.BytesIO(answer.content))


def is_html(api: Api) -> None:
    answer = ask(api, "html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def is_error(api: Api) -> None:
    answer = ask(api, "error-200")
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == "image_generation_failed"


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


def test_every_fault_is_tested_here() -> None:
    assert {*REFUSALS, *(f"{status}-html" for status in PAGES), *SPOILED} == set(FAULTS)


def test_a_fault_with_times_stops_so_that_a_retry_succeeds(api: Api) -> None:
    prompt = "A bear [sandbox:500-json times=2]"
    statuses = [api.generate(prompt=prompt).status_code for _ in range(4)]
    assert statuses == [500, 500, 200, 200]
    assert api.generate(prompt=f"Another {prompt}").status_code == 500


@pytest.mark.parametrize(
    "marker",
    [
        "no-such-fault",
        "500-json times=often",
        "truncated-image image=nan",
        "rate-limit-date retry-after=1e30",
        "slow seconds=-1",
        "other-format format=bmp",
    ],
)
def test_a_misspelt_marker_is_refused_and_not_passed_over(api: Api, marker: str) -> None:
    answer = ask(api, marker)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "sandbox_marker")


def test_faults_in_a_row_come_one_after_the_other(api: Api) -> None:
    prompt = "A wolf [sandbox:503-json times=1] [sandbox:rate-limit times=1]"
    assert [api.generate(prompt=prompt).status_code for _ in range(3)] == [503, 429, 200]


def test_a_reset_before_reading_counts_its_times_too(api: Api) -> None:
    prompt = "A lynx [sandbox:reset-before-read times=1] [#77]"
    with pytest.raises(requests.ConnectionError):
        api.generate(prompt=prompt)
    assert api.generate(prompt=prompt).status_code == 200
    first, second = api.ledger()
    assert (first["received"], first["number"], first["billed"]) == (False, 77, False)
    assert (second["received"], second["number"], second["billed"]) == (True, 77, True)


def test_faults_by_rate_repeat_with_their_seed() -> None:
    chosen = {"SANDBOX_FAULT_RATE": "0.5", "SANDBOX_FAULTS": "500-json,quota,503-html"}

    def statuses(seed: str) -> list[int]:
        with sandbox_server(SANDBOX_SEED=seed, SANDBOX_PRERENDERED="true", **chosen) as server:
            api = Api(server.url)
            with api.http:
                return [api.generate().status_code for _ in range(40)]

    once = statuses("3")
    assert once == statuses("3")
    assert set(once) == {200, 429, 500, 503}
    assert 10 < once.count(200) < 30
