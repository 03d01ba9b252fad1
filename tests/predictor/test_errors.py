"""Each failure of the upstream becomes one sentence of our own, with what to do about it."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest

from dev.servers import Server, predictor_server
from gpt_image import errors
from tests.support.cog_client import Cog, Prediction
from tests.support.explained import explained, status_error
from tests.support.generated_docs import assert_documented, table
from tests.support.loopback import nobody
from tests.support.refusals import REFUSALS, refusing_upstream
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import HURRY

# What the upstream does, the sandbox's name for it, and the class that a caller sees.
FAILURES = [
    ("401, the key is wrong", "key-rejected", "KeyRejected"),
    ("403, organization not verified", "organization-not-verified", "OrganizationNotVerified"),
    ("403, project lacks the model", "model-not-allowed", "NoModelAccess"),
    ("400, no such model", "unknown-model", "NoModelAccess"),
    ("429, out of credit", "quota", "QuotaExceeded"),
    ("400, billing hard limit", "hard-limit", "QuotaExceeded"),
    ("429, Retry-After in seconds", "rate-limit retry-after=60", "RateLimited"),
    ("429, Retry-After as a date", "rate-limit-date retry-after=3600", "RateLimited"),
    ("429, wait in its message", "rate-limit-message retry-after=90", "RateLimited"),
    ("429, no word of when", "rate-limit-bare", "RateLimited"),
    ("400, moderation of the input", "moderation", "ModerationBlocked"),
    ("400, moderation of the output", "moderation-output", "ModerationBlocked"),
    ("400, transparent is off", "transparent-unsupported", "UnsupportedByModel"),
    ("400, unknown parameter", "unknown-parameter", "RequestRejected"),
    ("400, an image is unreadable to it", "invalid-image", "RequestRejected"),
    ("400, an image is too large", "image-too-large", "RequestRejected"),
    ("413 of a gateway", "413-html", "RequestRejected"),
    ("500, generation failed", "generation-failed", "UpstreamDown"),
    ("500 with OpenAI's body", "500-json", "UpstreamDown"),
    ("503 with OpenAI's body", "503-json", "UpstreamDown"),
    ("500 as a page", "500-html", "ConnectionLost"),
    ("502 with OpenAI's body", "502-json", "ConnectionLost"),
    ("502 as a page", "502-html", "ConnectionLost"),
    ("503 as a page", "503-html", "ConnectionLost"),
    ("504 with OpenAI's body", "504-json", "ConnectionLost"),
    ("504 as a page", "504-html", "ConnectionLost"),
    ("520 of a CDN", "520-html", "ConnectionLost"),
    ("524 of a CDN", "524-html", "ConnectionLost"),
    ("connection reset while sending", "reset-before-read", "ConnectionLost"),
    ("connection reset while it works", "reset-after-read", "ConnectionLost"),
    ("connection reset in the answer", "reset-in-body", "ConnectionLost"),
    ("answer cut off", "truncated-body", "ConnectionLost"),
    ("no answer before the deadline", "stall", "UpstreamTimedOut"),
    ("200 with a page", "html", "AnswerNotUsable"),
    ("200 with an error", "error-200", "AnswerNotUsable"),
    ("200 without data", "data-null", "AnswerNotUsable"),
    ("200 with no image", "data-empty", "AnswerNotUsable"),
    ("200 with a null image", "b64-null", "AnswerNotUsable"),
    ("200 with broken base64", "corrupt-base64-all", "AnswerNotUsable"),
    ("200 with half an image", "truncated-image", "AnswerNotUsable"),
    ("200 with JSON that breaks off", "truncated-json", "AnswerNotUsable"),
    ("200 with a URL that is 404", "url-404", "AnswerNotUsable"),
]
METRICS = (
    "error_class",
    "error_status",
    "error_code",
    "error_param",
    "error_request_id",
    "error_retry_after",
    "may_have_been_billed",
)
MAY_BE_BILLED = {c.__name__ for c in errors.MayHaveBeenBilled.__subclasses__()}


@pytest.fixture(scope="module")
def hurried(sandbox_process: Server) -> Iterator[Cog]:
    """A predictor whose deadline is short, so that no row waits for minutes."""
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_DEADLINE_SECONDS": HURRY}
    with predictor_server(**environment) as server:
        yield Cog(server.url)


def each_failure(hurried: Cog) -> dict[str, Prediction]:
    """Each of FAILURES provoked once, by its fault."""

    def provoked(fault: str) -> Prediction:
        background = "transparent" if fault == "transparent-unsupported" else "auto"
        return hurried.predict(prompt=f"A lighthouse [sandbox:{fault}]", background=background)

    faults = [fault for _, fault, _ in FAILURES]
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(faults, pool.map(provoked, faults), strict=True))


@pytest.fixture(scope="module")
def failures(hurried: Cog) -> dict[str, Prediction]:
    return each_failure(hurried)


@pytest.fixture(scope="module")
def sentences(failures: dict[str, Prediction]) -> dict[str, str]:
    return {fault: prediction.error for fault, prediction in failures.items()}


@pytest.fixture(scope="module")
def refusals() -> dict[str, Prediction]:
    """Each refusal that the sandbox does not know, provoked once."""
    with (
        refusing_upstream() as upstream,
        predictor_server(
            OPENAI_PROXY_URL=f"{upstream.root}/v1", OPENAI_DEADLINE_SECONDS=HURRY
        ) as server,
    ):
        cog = Cog(server.url)
        return {
            refusal.what: cog.predict(prompt=refusal.prompt, **refusal.inputs)
            for refusal in REFUSALS
        }


@pytest.mark.parametrize(("fault", "name"), [(f, n) for _, f, n in FAILURES], ids=lambda v: v)
def test_a_failure_has_its_class_and_says_what_to_do(
    sentences: dict[str, str], fault: str, name: str
) -> None:
    error, _, sentence = sentences[fault].partition(": ")

    assert error == name
    assert re.fullmatch(r"[A-Z].*[;,] .*\.", sentence), "one sentence, with what to do"
    assert "cancelled" not in sentence.lower()
    assert ("may have been billed" in sentence) == (name in MAY_BE_BILLED)


@pytest.mark.docs
def test_the_document_shows_every_sentence(
    failures: dict[str, Prediction], refusals: dict[str, Prediction]
) -> None:
    told = [(what, failures[fault]) for what, fault, _ in FAILURES] + list(refusals.items())
    rows = []
    for what, prediction in told:
        name, _, sentence = prediction.error.partition(": ")
        rows.append((what, f"`{name}`", shown(sentence)))
    heads = ("what the upstream does", "class", "sentence")
    assert_documented("docs/errors.md", "errors", table(heads, rows))


@pytest.mark.docs
def test_the_document_shows_the_metrics_of_an_error(failures: dict[str, Prediction]) -> None:
    chosen = (
        "key-rejected",
        "rate-limit retry-after=60",
        "unknown-parameter",
        "moderation",
        "502-html",
        "stall",
    )
    names = {fault: what for what, fault, _ in FAILURES}
    rows = []
    for fault in chosen:
        found = failures[fault].metrics
        cells = [shown(json.dumps(found[name])) if name in found else "" for name in METRICS]
        rows.append((names[fault], *(f"`{cell}`" if cell else "" for cell in cells)))
    heads = ("what the upstream does", *(f"`{name}`" for name in METRICS))
    assert_documented("docs/errors.md", "metrics", table(heads, rows))


def shown(sentence: str) -> str:
    """Without what differs from run to run."""
    sentence = re.sub(r"req_\w+", "req_...", sentence)
    return re.sub(r"in 3[56]\d\d seconds", "in 3600 seconds", sentence)


def test_the_wait_that_the_upstream_asks_for_is_named(sentences: dict[str, str]) -> None:
    assert "try again in 60 seconds" in sentences["rate-limit retry-after=60"]
    assert "try again in 90 seconds" in sentences["rate-limit-message retry-after=90"]
    assert re.search(
        r"try again in 3[56]\d\d seconds", sentences["rate-limit-date retry-after=3600"]
    )
    assert "try again later" in sentences["rate-limit-bare"]


def test_moderation_names_stage_and_categories(sentences: dict[str, str]) -> None:
    assert "at the input stage for violence" in sentences["moderation"]
    assert "at the output stage for violence" in sentences["moderation-output"]


def test_verification_names_the_settings_page(sentences: dict[str, str]) -> None:
    page = "https://platform.openai.com/settings/organization/general"
    assert page in sentences["organization-not-verified"]


def test_the_metrics_of_a_failure_say_what_its_sentence_says(
    failures: dict[str, Prediction],
) -> None:
    for _, fault, name in FAILURES:
        prediction = failures[fault]
        metrics = prediction.metrics
        assert metrics["error_class"] == name
        assert metrics["may_have_been_billed"] == (name in MAY_BE_BILLED)
        for metric, words in {
            "error_status": "HTTP {}",
            "error_code": "code: {}",
            "error_param": "'{}'",
            "error_request_id": "request id: {}",
        }.items():
            if metric in metrics and not (name == "AnswerNotUsable" or metric == "error_param"):
                assert words.format(metrics[metric]) in prediction.error
        status = re.search(r"HTTP (\d+)", prediction.error)
        if status and name != "AnswerNotUsable":
            assert metrics["error_status"] == int(status[1])
    assert failures["unknown-parameter"].metrics["error_param"] == "quality"
    assert failures["html"].metrics["error_status"] == 200
    assert re.fullmatch(r"req_\w+", failures["data-empty"].metrics["error_request_id"])
    assert "error_status" not in failures["stall"].metrics


def test_an_error_of_the_request_has_its_metrics_too(hurried: Cog) -> None:
    metrics = hurried.predict(prompt=" ").metrics
    assert metrics["error_class"] == "InvalidInput"
    assert metrics["may_have_been_billed"] is False
    assert not {"error_status", "error_code", "error_param", "error_request_id"} & set(metrics)


def test_a_success_has_no_metrics_of_an_error(cog: Cog) -> None:
    assert not set(METRICS) & set(cog.predict().metrics)


def test_errors_carry_the_upstreams_code_and_request_id(sentences: dict[str, str]) -> None:
    assert re.search(
        r"\(HTTP 401, code: invalid_api_key, request id: req_\w+\)", sentences["key-rejected"]
    )


def test_an_upstream_that_is_not_there_is_down_and_not_billed() -> None:
    with (
        nobody() as address,
        predictor_server(OPENAI_PROXY_URL=f"{address}/v1", OPENAI_DEADLINE_SECONDS=HURRY) as server,
    ):
        prediction = Cog(server.url).predict()

    assert prediction.error.startswith("UpstreamDown: The upstream could not be reached")
    assert "nothing was billed" in prediction.error


# --- the whole of the openai SDK, and gateways, without a server


def sdk_exceptions() -> list[type[Exception]]:
    found: list[type[Exception]] = []
    pending: list[type[Exception]] = [openai.OpenAIError]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += one.__subclasses__()
    return [one for one in found if one.__module__.startswith("openai")]


@pytest.mark.parametrize("kind", sdk_exceptions(), ids=lambda kind: kind.__name__)
def test_every_exception_of_the_sdk_is_mapped(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, "message")
    if isinstance(error, openai.APIStatusError):
        error.__dict__.update(vars(status_error(418, {"message": "teapot"})))

    mapped = explained(error)

    assert isinstance(mapped, errors.GptImageError)
    assert type(mapped) is not errors.GptImageError


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (httpx2.ConnectError, errors.UpstreamDown),
        (httpx2.ConnectTimeout, errors.UpstreamDown),
        (httpx2.PoolTimeout, errors.UpstreamDown),
        (httpx2.ReadTimeout, errors.UpstreamTimedOut),
        (httpx2.WriteTimeout, errors.UpstreamTimedOut),
        (httpx2.ReadError, errors.ConnectionLost),
        (httpx2.WriteError, errors.ConnectionLost),
        (httpx2.RemoteProtocolError, errors.ConnectionLost),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False], ids=["in the SDK's", "bare"])
def test_a_transport_error_is_billed_or_not_by_its_cause(
    cause: type[httpx2.TransportError], expected: type[errors.GptImageError], wrapped: bool
) -> None:
    request = httpx2.Request("POST", "https://api.example/v1")
    error: Exception = cause("cause", request=request)
    if wrapped:
        outer = openai.APIConnectionError(request=request)
        if isinstance(error, httpx2.TimeoutException):
            outer = openai.APITimeoutError(request=request)
        outer.__cause__ = error
        error = outer
    mapped = explained(error)

    assert type(mapped) is expected
    assert mapped.safe_to_repeat == (expected is errors.UpstreamDown)


@pytest.mark.parametrize("status", [301, 307, 404, 405])
def test_a_wrong_address_is_told_from_a_wrong_request(status: int) -> None:
    assert "check OPENAI_BASE_URL or OPENAI_PROXY_URL" in str(explained(status_error(status, {})))


@pytest.mark.parametrize("type", ["new_api_error", "shell_api_error", "upstream_error", None])
@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "invalid_api_key", errors.KeyRejected),
        (400, "invalid_api_key", errors.KeyRejected),
        (403, "model_not_found", errors.NoModelAccess),
        (429, "insufficient_quota", errors.QuotaExceeded),
        (400, "billing_hard_limit_reached", errors.QuotaExceeded),
        (429, "rate_limit_exceeded", errors.RateLimited),
        (400, "moderation_blocked", errors.ModerationBlocked),
        (500, "moderation_blocked", errors.ModerationBlocked),
        (500, None, errors.ConnectionLost),
        (503, "500", errors.ConnectionLost),
    ],
)
def test_a_gateways_own_type_does_not_hide_the_code(
    type: str | None, status: int, code: str | None, expected: type[errors.GptImageError]
) -> None:
    body = {"message": "no (request id: 2026)", "type": type, "code": code, "param": None}
    assert isinstance(explained(status_error(status, body)), expected)


def test_a_fault_of_our_own_names_its_place_and_no_more() -> None:
    shown: list[errors.GptImageError] = []
    with (
        pytest.raises(errors.UnexpectedFailure) as caught,
        errors.told_in_one_sentence(shown.append),
    ):
        raise ValueError("test-key-caller was cancelled")

    assert shown == [caught.value]

    assert "ValueError in test_errors.py:" in str(caught.value)
    assert "test-key-caller" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_no_sentence_is_taken_for_a_cancellation() -> None:
    """Cog reports an error that contains the word as canceled."""
    error = errors.RequestRejected("It said: the job was cancelled; CancelledError.")
    assert error.line == "RequestRejected: It said: the job was canceled; CanceledError."


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    def drawn(kind: type[Exception]) -> set[str]:
        return {kind.__name__}.union(*(drawn(sub) for sub in kind.__subclasses__()))

    in_the_drawing = set(re.findall(r"^[ │├└─]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE))
    assert drawn(errors.GptImageError) <= in_the_drawing


def test_the_sandbox_can_provoke_what_the_table_lists(sandbox: Sandbox) -> None:
    from sandbox.faults import FAULTS

    assert {fault.partition(" ")[0] for _, fault, _ in FAILURES} <= set(FAULTS)
