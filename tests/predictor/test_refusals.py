"""Refusals that no waiting mends are final, others are not; and what each says of the account."""

import json
from collections.abc import Iterator

import pytest

from dev.servers import predictor_server
from tests.support.cog_client import Cog, Prediction, data_uri, picture
from tests.support.explained import explained, status_error
from tests.support.loopback import Answer, StandIn
from tests.support.refusals import REFUSALS, Refusal, refusing_upstream
from tests.support.waiting import HURRY

SUCCESS = {"data": [{"b64_json": data_uri(picture("WEBP")).partition(",")[2]}]}


@pytest.fixture(scope="module")
def upstream() -> Iterator[StandIn]:
    with refusing_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def refused(upstream: StandIn) -> Iterator[Cog]:
    environment = {"OPENAI_API_KEY": "test-key-operator", "OPENAI_BASE_URL": f"{upstream.root}/v1"}
    with predictor_server(**environment, OPENAI_DEADLINE_SECONDS=HURRY) as server:
        yield Cog(server.url)


def provoke(cog: Cog, refusal: Refusal) -> Prediction:
    return cog.predict(prompt=refusal.prompt, **refusal.inputs)


def by_name(what: str) -> Refusal:
    return next(refusal for refusal in REFUSALS if refusal.what == what)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.what)
def test_a_refusal_has_its_class_and_only_what_may_pass_is_repeated(
    refused: Cog, upstream: StandIn, refusal: Refusal
) -> None:
    upstream.requests.clear()

    prediction = provoke(refused, refusal)

    assert prediction.error.startswith(f"{refusal.error_class}: ")
    assert (len(upstream.requests) > 1) == (refusal.error_class == "UpstreamDown")


@pytest.mark.parametrize("type", ["insufficient_quota", "new_api_error", "rate_limit_error", None])
@pytest.mark.parametrize(
    "code",
    [
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ],
)
def test_a_spent_account_is_told_by_the_code_under_any_type(type: str | None, code: str) -> None:
    error = explained(status_error(429, {"message": "No.", "type": type, "code": code}))

    assert error.line.startswith("QuotaExceeded: ")
    assert not error.safe_to_repeat


def test_a_request_beyond_the_limit_is_told_how_many_images_fit(refused: Cog) -> None:
    error = provoke(refused, by_name("429, more images than the limit")).error
    assert "needs 10 input-images per minute" in error
    assert "a rate limit of 5; set number_of_images to 5 or less" in error

    error = provoke(refused, by_name("429, more tokens than the limit")).error
    assert "a rate limit of 10000; set number_of_images to 1 or less" in error


@pytest.mark.parametrize(
    ("numbers", "advice"),
    [
        ("Limit 5, Requested 8", "send fewer or smaller input images"),  # n is 1, so 7 are inputs
        ("Limit 5, Used 5, Requested 6", "send fewer or smaller input images"),
    ],
)
def test_input_images_alone_may_be_too_many(numbers: str, advice: str) -> None:
    message = f"Rate limit reached in organization org-x on input-images per min: {numbers}."
    error = explained(status_error(429, {"message": message, "code": "rate_limit_exceeded"}))
    assert advice in str(error)


def test_a_request_below_the_limit_waits() -> None:
    message = "Rate limit reached on input-images per min: Limit 5, Used 5, Requested 5."
    error = explained(status_error(429, {"message": message, "code": "rate_limit_exceeded"}))
    assert error.line.startswith("RateLimited: ")


@pytest.mark.parametrize(("digits", "when"), [(12, "in 604800 seconds"), (400, "later")])
def test_a_wait_without_end_is_an_ordinary_rate_limit(digits: int, when: str) -> None:
    message = f"Rate limit reached. Please try again in {'9' * digits}h."
    error = explained(status_error(429, {"message": message, "code": "rate_limit_exceeded"}))

    assert error.line.startswith("RateLimited: ")
    assert f"Rate limit reached; try again {when}" in error.line


@pytest.mark.parametrize(
    "what", ["403 of a firewall", "429, more images than the limit", "503, overloaded"]
)
def test_a_refusal_of_one_request_says_nothing_about_the_credential(
    refused: Cog, upstream: StandIn, what: str
) -> None:
    chosen, upstream.answer = upstream.answer, lambda _: Answer(json.dumps(SUCCESS).encode())
    assert refused.predict().status == "succeeded"
    upstream.answer = chosen

    assert provoke(refused, by_name(what)).status == "failed"
    assert refused.health()["status"] == "READY"

    assert provoke(refused, by_name("429, credit_balance_exhausted")).status == "failed"
    assert refused.health()["status"] == "UNHEALTHY"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("must be verified", None),
        ("exceeded your current quota", None),
        ("does not have access to model", None),
    ],
)
def test_an_echo_of_the_prompt_does_not_choose_the_error(words: str, code: str | None) -> None:
    prompt = f"A sign that says: it {words}"
    error = explained(status_error(400, {"message": f"Bad: {prompt}!", "code": code}), prompt)
    assert error.line.startswith("RequestRejected: ")


def test_the_refused_background_is_named() -> None:
    error = explained(status_error(400, {"message": "No.", "param": "background"}))
    assert "does not support background 'transparent' for m; set background to" in str(error)
