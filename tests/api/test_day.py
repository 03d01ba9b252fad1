"""What the simulated day of benchmarks/api_day calls lost, made twice, billed twice or untold."""

from typing import Any

import pytest

from benchmarks.api_day.callers import Call
from benchmarks.api_day.plan import (
    DAY,
    MINUTE,
    SHOP,
    Behaviour,
    Wish,
    draw,
    images_per_minute,
    steady,
)
from benchmarks.api_day.verdict import Row, Verdict, judge

BILLED_UNSAID = "The upstream answered nonsense."
BILLED_SAID = "The model's server stopped before it had answered; it may have been billed."


def call(number: int, behaviour: Behaviour = Behaviour.POLLS, id: str | None = None) -> Call:
    return Call(Wish(number, 0.0, SHOP, behaviour, ""), id=f"id-{number}" if id is None else id)


def row(number: int, state: str = "succeeded", error: str = "", id: str = "") -> Row:
    return Row(id or f"id-{number}", number, state, error, 1, 0.01, 1.0)


def billed(number: int) -> dict[str, Any]:
    return {"number": number, "billed": True, "status": 200}


def judged(calls: list[Call], rows: list[Row], ledger: list[dict[str, Any]]) -> Verdict:
    return judge(calls, rows, ledger, told=set())


def test_a_day_on_which_all_went_well_has_no_problems() -> None:
    refused = {"number": 1, "billed": False, "status": 429}
    found = judged([call(1)], [row(1)], [refused, billed(1)])

    assert found.problems == []
    assert found.refused == 1
    assert (found.accepted, found.states["succeeded"], found.billed_in_vain) == (1, 1, 0)


@pytest.mark.parametrize(
    ("calls", "rows", "ledger", "problem"),
    [
        ([call(1)], [], [], "accepted and lost: [1]"),
        ([call(1)], [row(1, "queued")], [], "accepted and lost: [1]"),
        ([call(1)], [row(1), row(1, id="again")], [], "made twice: [1]"),
        ([call(1)], [row(1)], [billed(1), billed(1)], "billed twice: [1]"),
        (
            [call(1)],
            [row(1, "failed", BILLED_UNSAID)],
            [billed(1)],
            "billed, failed, and does not say so: [1]",
        ),
        ([call(1, Behaviour.IS_TOLD)], [row(1)], [], "whose webhook never came: [1]"),
    ],
)
def test_what_must_not_be_is_found(
    calls: list[Call], rows: list[Row], ledger: list[dict[str, Any]], problem: str
) -> None:
    assert judged(calls, rows, ledger).problems == [problem]


def test_what_may_be_is_none() -> None:
    """Nobody accepted it; it was billed, failed and says so; canceled too late; another run's."""
    calls = [call(1, id=""), call(2), call(3)]
    rows = [row(2, "failed", BILLED_SAID), row(3, "canceled"), row(99, "queued")]

    assert judged(calls, rows, [billed(2), billed(3), billed(99), billed(99)]).problems == []


def test_the_day_is_busy_by_day_and_the_account_allows_less_then_but_enough_on_the_whole() -> None:
    peak = hour = 20
    wishes = [each for each in draw(peak, hour, seed=1) if each.tenant == SHOP]
    busy = [each for each in wishes if 13 <= each.at < 17]
    idle = [each for each in wishes if each.at < 6]
    allowed = images_per_minute(peak) / MINUTE * hour

    assert len(idle) / 6 < allowed < len(busy) / 4
    assert len(wishes) < allowed * DAY
    assert all(0 <= each.at < DAY for each in wishes)


def test_a_steady_rate_is_that_rate() -> None:
    wishes = steady(rate=10, seconds=100, first=7, seed=1)

    assert 850 < len(wishes) < 1150
    assert [each.number for each in wishes] == list(range(7, 7 + len(wishes)))
