"""Failures that no request deserves, provoked through the sandbox's markers."""

from typing import Any

import requests

from tests.sandbox.conftest import Api
from tests.sandbox.facts.fact import (
    CODES,
    GUIDE,
    HELP,
    IGU,
    IRE,
    LIVE,
    OURS,
    Fact,
    Grade,
    fails,
    is_error,
)  # fmt: skip

_REPORTS = "reports of 2026"
_SAFETY = "Your request was rejected by the safety system. If you believe this is an error,..."
_LIMITED = (
    "Rate limit reached for gpt-image-2 (for limit gpt-image) in organization org-sandbox on "
    "input-images per min: Limit 5, Used 5, Requested 1."
)
_TOO_LARGE = (
    "Request too large for gpt-image-2 (for limit gpt-image) in organization org-sandbox on "
    "input-images per min:"
)


def _ask(api: Api, marker: str) -> requests.Response:
    return api.generate(prompt=f"A fox [sandbox:{marker}]")


def _error(answer: requests.Response) -> Any:
    return answer.json()["error"]


def _wrong_key(api: Api) -> None:
    answer = requests.post(
        f"{api.url}/images/generations", json={},
        headers={"Authorization": "Bearer test-key-invalid"}, timeout=5,
    )  # fmt: skip
    is_error(answer, 401, IRE, "invalid_api_key", None, "Incorrect API key provided: ...")


def _no_key(api: Api) -> None:
    answer = requests.post(f"{api.url}/images/generations", json={}, timeout=60)
    is_error(answer, 401, IRE, None, None, "You didn't provide an API key...")


def _page(status: int) -> Fact:
    def check(api: Api) -> None:
        answer = _ask(api, f"{status}-html")
        assert answer.status_code == status
        assert answer.text.startswith("<html>")
        assert "x-request-id" not in answer.headers

    return Fact(f"a {status} can be a page, without a request id", "R", _REPORTS, check)


def _billing(marker: str, code: str, grade: Grade, source: str, message: str) -> Fact:
    check = fails(marker, 429, "insufficient_quota", code, None, message)
    return Fact(f"429 {code}", grade, source, check)


def _names_stage(stage: str, marker: str) -> Fact:
    def check(api: Api) -> None:
        details = _error(_ask(api, marker))["moderation_details"]
        assert details == {"moderation_stage": stage, "categories": ["violence"]}

    return Fact(f"moderation names the {stage} stage and categories", "D", GUIDE, check)


def _names_request(api: Api) -> None:
    answer = _ask(api, "moderation")
    assert answer.headers["x-request-id"] in _error(answer)["message"]


def _says_when(api: Api) -> None:
    answer = _ask(api, "rate-limit retry-after=12")
    assert answer.headers["retry-after"] == "12"
    assert answer.headers["retry-after-ms"] == "12000"
    assert _error(answer)["message"] == f"{_LIMITED} Please try again in 12s."


def _other_type(api: Api) -> None:
    error = _error(_ask(api, "credit-exhausted type=requests"))
    assert (error["type"], error["code"]) == ("requests", "credit_balance_exhausted")


FACTS = (
    Fact("a wrong key is 401 invalid_api_key", "R", _REPORTS, _wrong_key),
    Fact("no key is 401", "R", _REPORTS, _no_key),
    Fact("an unverified organisation is 403", "M", LIVE, fails(
        "organization-not-verified", 403, IRE, None, None,
        "Your organization must be verified to use the model `gpt-image-2`. Please go to: "
        "https://platform.openai.com/settings/organization/general and click on Verify "
        "Organization. If you just verified, it can take up to 15 minutes for access to "
        "propagate.")),
    Fact("a project without the model is 403", "M", LIVE, fails(
        "model-not-allowed", 403, IRE, "model_not_found", None,
        "Project `proj_sandbox` does not have access to model `gpt-image-2`")),
    Fact("transparency may be off for an account", "M", LIVE, fails(
        "transparent-unsupported", 400, IGU, "invalid_value", "background",
        "Transparent background is not supported for this model.")),
    Fact("429 insufficient_quota", "R", _REPORTS, fails(
        "quota", 429, "insufficient_quota", "insufficient_quota", None,
        "You exceeded your current quota, please check your plan and billing details. ...")),
    _billing("credit-exhausted", "credit_balance_exhausted", "M", "seen live, September 2026",
             "You have no credits remaining. Add credits to continue using the API at "
             "https://platform.openai.com/settings/organization/billing/."),
    _billing("organization-spend-limit", "organization_spend_limit_exceeded", "D", HELP, "..."),
    _billing("project-spend-limit", "project_spend_limit_exceeded", "D", HELP, "..."),
    _billing("organization-usage-limit", "organization_usage_limit_exceeded", "D", HELP, "..."),
    Fact("billing refusals can have other types", "D", HELP, _other_type),
    Fact("400 billing_hard_limit_reached", "R", _REPORTS, fails(
        "hard-limit", 400, "billing_limit_user_error", "billing_hard_limit_reached", None,
        "Billing hard limit has been reached.")),
    Fact("a rate limit names limit, used and requested", "R", _REPORTS, fails(
        "rate-limit-bare", 429, "input-images", "rate_limit_exceeded", None, _LIMITED)),
    Fact("a rate limit says when, in two headers and its message", "R",
         "headers of a real answer, reports of 2026", _says_when),
    Fact("the wait can be in milliseconds", "R", _REPORTS, fails(
        "rate-limit-message retry-after=0.467", 429, "input-images", "rate_limit_exceeded", None,
        f"{_LIMITED} Please try again in 467ms.")),
    Fact("more images than the limit is a 429 that no waiting mends", "R", _REPORTS, fails(
        "request-too-large", 429, "input-images", "rate_limit_exceeded", None,
        f"{_TOO_LARGE} Limit 5, Requested 10. You can increase your rate limit by adding a "
        "payment method to your account at ...")),
    Fact("an account can have a limit of 0", "R", _REPORTS, fails(
        "request-too-large limit=0 requested=1", 429, "input-images", "rate_limit_exceeded", None,
        f"{_TOO_LARGE} Limit 0, Requested 1. ...")),
    Fact("traffic that rises too fast is 429 slow_down", "D", CODES, fails(
        "slow-down", 429, "rate_limit_error", "slow_down", None, "...")),
    Fact("moderation is 400 moderation_blocked", "M", LIVE, fails(
        "moderation", 400, IGU, "moderation_blocked", None, _SAFETY)),
    _names_stage("input", "moderation"),
    _names_stage("output", "moderation-output"),
    Fact("moderation names the request", "M", LIVE, _names_request),
    Fact("a failed generation is 500", "R", _REPORTS, fails(
        "generation-failed", 500, "image_generation_server_error", "image_generation_failed",
        None, "Image generation failed")),
    *(Fact(f"{status} in OpenAI's own words", "R", _REPORTS, fails(
        f"{status}-json", status, "server_error", None, None,
        "The server had an error while processing your request. Sorry about that!"))
      for status in (500, 502, 503)),
    Fact("overloaded servers are 503 server_is_overloaded", "D", CODES, fails(
        "overloaded", 503, "service_unavailable_error", "server_is_overloaded", None,
        "Our servers are currently overloaded. Please try again later.")),
    Fact("an image is unreadable", "M", LIVE, fails(
        "invalid-image", 400, IRE, "invalid_image_file", "image",
        "Invalid image file or mode for image 1, please check your image file.")),
    Fact("an image is too large", "A", OURS, fails(
        "image-too-large", 400, IRE, "invalid_value", "image", "Invalid file 'image[0]': ...")),
    *map(_page, (413, 502, 504, 520, 524)),
)  # fmt: skip
