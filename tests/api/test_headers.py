"""What clients ask for in headers."""

import pytest
from starlette.datastructures import Headers

from api.dialects.replicate.headers import cancel_after, wait_of
from api.dialects.retries import says_it_repeats


@pytest.mark.parametrize(
    ("prefer", "seconds", "applied"),
    [
        ("wait", 55, "wait"),
        ("wait=1", 1, "wait=1"),
        ("wait=60", 55, "wait=60"),
        ("wait=99", 55, "wait=60"),
        ("Wait = 7", 7, "wait=7"),
    ],
)
def test_the_answer_comes_before_any_client_gives_up(
    prefer: str, seconds: float, applied: str
) -> None:
    wait = wait_of(Headers({"prefer": prefer}))

    assert wait is not None
    assert (wait.seconds, wait.applied) == (seconds, applied)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("5m", 300), ("2h30m", 9000), ("1h30m45s", 5445), ("5", 5)],
)
def test_durations_are_read_as_replicate_documents_them(text: str, seconds: float) -> None:
    assert cancel_after(Headers({"cancel-after": text})) == seconds


@pytest.mark.parametrize(("count", "repeats"), [("0", False), ("1", True), ("x", False)])
def test_a_client_that_counts_its_tries_repeats_from_the_second(count: str, repeats: bool) -> None:
    assert says_it_repeats(Headers({"x-stainless-retry-count": count})) is repeats
