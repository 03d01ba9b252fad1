"""Faults that refuse, and when a fault happens; the broken answers have a file of their own."""

import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from dev.servers import sandbox_server
from sandbox.faults import FAULTS
from tests.sandbox.conftest import Api
from tests.sandbox.test_broken_answers import SPOILED, ask

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
    date = parsedate_to_datetime(ask(api, "rate-limit-date retry-after=600").headers["retry-after"])
    assert 500 < date.timestamp() - time.time() < 601
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
        "event-error code=none",
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
