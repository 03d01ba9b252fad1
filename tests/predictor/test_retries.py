"""What is repeated, how long it waits, and what is never sent twice; the ledger counts."""

import itertools
import re
import threading
import time
from collections.abc import Iterator

import pytest

from dev.servers import Server, free_port, predictor_server, sandbox_server
from gpt_image.upstream import retry_after
from tests.support.cog_client import Cog, Prediction, data_uri, picture
from tests.support.sandbox_client import Sandbox

# A prompt of its own for each test: the sandbox counts `times` by prompt.
numbers = itertools.count(1)


def prompt(fault: str) -> str:
    return f"A lighthouse [#{next(numbers)}] [sandbox:{fault}]"


@pytest.fixture(scope="module")
def hurried(sandbox_process: Server) -> Iterator[Cog]:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_DEADLINE_SECONDS": "8"}
    with predictor_server(**environment) as server:
        yield Cog(server.url)


@pytest.fixture(scope="module")
def reckless(sandbox_process: Server) -> Iterator[Cog]:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_RETRY_AMBIGUOUS": "true"}
    with predictor_server(**environment) as server:
        yield Cog(server.url)


def retry_lines(prediction: Prediction) -> list[str]:
    return [line for line in prediction.logs if "trying again" in line]


def statuses(sandbox: Sandbox) -> list[int | None]:
    return [entry["status"] for entry in sandbox.ledger]


@pytest.mark.parametrize("fault", ["500-json", "503-json", "generation-failed", "rate-limit-bare"])
def test_what_cannot_have_been_billed_is_repeated_and_said(
    cog: Cog, sandbox: Sandbox, fault: str
) -> None:
    prediction = cog.predict(prompt=prompt(f"{fault} times=1"))

    assert prediction.status == "succeeded"
    assert len(sandbox.ledger) == 2
    (line,) = retry_lines(prediction)
    reason = "has a rate limit" if fault == "rate-limit-bare" else "failed"
    assert re.fullmatch(
        rf"The upstream {reason} \(has not billed\); trying again in \d\.\d s \(attempt 2\)\.", line
    )


def test_an_edit_is_repeated_with_its_whole_images(cog: Cog, sandbox: Sandbox) -> None:
    uris = [data_uri(picture()), data_uri(picture("JPEG"), "image/jpeg")]
    assert cog.predict(prompt=prompt("500-json times=1"), input_images=uris).status == "succeeded"

    first, second = sandbox.requests
    assert first.files == second.files
    assert all(part["size"] for part in second.files)


@pytest.mark.parametrize("fault", ["rate-limit", "rate-limit-date", "rate-limit-message"])
def test_the_wait_that_the_upstream_asks_for_is_kept(
    cog: Cog, sandbox: Sandbox, fault: str
) -> None:
    prediction = cog.predict(prompt=prompt(f"{fault} retry-after=2 times=1"))

    assert prediction.status == "succeeded"
    first, second = sandbox.ledger
    # A date has whole seconds, so up to one of the two may already have passed.
    shortest = 1.0 if fault == "rate-limit-date" else 2.0
    assert shortest <= second["opened_at"] - first["opened_at"] < 15


def test_a_wait_beyond_the_deadline_is_not_begun(hurried: Cog, sandbox: Sandbox) -> None:
    started = time.monotonic()
    prediction = hurried.predict(prompt=prompt("rate-limit retry-after=60"))

    assert time.monotonic() - started < 10
    assert "try again in 60 seconds" in prediction.error
    assert statuses(sandbox) == [429]


def test_one_deadline_bounds_all_attempts(hurried: Cog, sandbox: Sandbox) -> None:
    started = time.monotonic()
    prediction = hurried.predict(prompt=prompt("rate-limit retry-after=3"))

    assert prediction.error.startswith("RateLimited: ")
    assert 3 < time.monotonic() - started < 30
    assert statuses(sandbox) in ([429] * 2, [429] * 3)


def test_a_late_attempt_that_does_not_answer_ends_with_the_deadline(
    hurried: Cog, sandbox: Sandbox
) -> None:
    started = time.monotonic()
    text = f"{prompt('rate-limit retry-after=1 times=1')} [sandbox:stall]"
    prediction = hurried.predict(prompt=text)

    assert prediction.error.startswith("UpstreamTimedOut: ")
    assert 7.5 < time.monotonic() - started < 30


def test_images_that_arrived_before_the_deadline_are_returned(
    hurried: Cog, sandbox: Sandbox
) -> None:
    prediction = hurried.predict(prompt=prompt("slow-drip seconds=16"), number_of_images=10)

    assert prediction.status == "succeeded"
    assert 1 <= len(prediction.images) < 10
    assert "The upstream's answer did not end before the deadline." in prediction.logs
    assert statuses(sandbox) == [200]


FINAL = [
    "reset-after-read",
    "reset-before-read",
    "reset-in-body",
    "truncated-body",
    "500-html",
    "502-json",
    "502-html",
    "503-html",
    "504-json",
    "524-html",
    "html",
    "data-empty",
    "corrupt-base64-all",
]


@pytest.mark.parametrize("fault", FINAL)
def test_what_may_have_been_billed_is_never_sent_twice(
    cog: Cog, sandbox: Sandbox, fault: str
) -> None:
    prediction = cog.predict(prompt=prompt(f"{fault} times=1"))

    assert "may have been billed" in prediction.error
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize("fault", FINAL)
def test_the_operator_may_allow_to_repeat_it(reckless: Cog, sandbox: Sandbox, fault: str) -> None:
    prediction = reckless.predict(prompt=prompt(f"{fault} times=1"))

    assert prediction.status == "succeeded"
    assert len(sandbox.ledger) == 2
    (line,) = retry_lines(prediction)
    assert "(may have billed)" in line


@pytest.mark.parametrize(
    "fault", ["key-rejected", "quota", "hard-limit", "moderation", "unknown-model", "413-html"]
)
def test_what_waiting_does_not_mend_is_not_repeated(cog: Cog, sandbox: Sandbox, fault: str) -> None:
    assert cog.predict(prompt=prompt(f"{fault} times=1")).status == "failed"
    assert len(sandbox.ledger) == 1


def test_an_upstream_that_comes_back_is_found() -> None:
    """No connection was made at first, so nothing was billed."""
    port = free_port()
    with predictor_server(OPENAI_PROXY_URL=f"http://127.0.0.1:{port}/v1") as server:
        made: list[Prediction] = []
        waiting = threading.Thread(target=lambda: made.append(Cog(server.url).predict()))
        waiting.start()
        time.sleep(0.3)
        with sandbox_server(SANDBOX_PORT=str(port)):
            waiting.join()

    assert made[0].status == "succeeded"
    assert retry_lines(made[0])


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": "12"}, "Please try again in 99s.", 12),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "soon"}, "Please try again in 12s.", 12),
        ({}, "Please try again in 120ms.", 0.12),
        ({}, "Please try again in 1m2.5s.", 62.5),
        ({}, "Please try again in 1h.", 3600),
        ({}, f"Please try again in {'9' * 400}h.", 7 * 86400),
        ({"retry-after": "9" * 300}, "", 7 * 86400),
        ({"retry-after-ms": "9" * 300}, "", 7 * 86400),
        ({}, "Try again in 5 seconds. Passed model", 5),
        ({}, "Try again in 2 minutes", 120),
        ({}, "Try again in 5 sheep", None),
        ({}, "Please try again.", None),
        ({"retry-after": "Sat, 21 Nov 2020 00:00:00 GMT"}, "", 0),
    ],
)
def test_the_wait_is_read_wherever_it_is_said(
    headers: dict[str, str], message: str, seconds: float | None
) -> None:
    assert retry_after.seconds(headers, message) == seconds
