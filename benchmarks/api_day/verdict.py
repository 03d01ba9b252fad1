"""What became of every prediction, by the database, the ledger and the webhooks that came."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.api_day.callers import Call
from benchmarks.api_day.plan import Behaviour

_ENDED = {"succeeded", "failed", "canceled"}
_ROWS = """
    SELECT predictions.id, input->>'prompt', state, coalesce(error, ''), attempt,
        sent_at - predictions.created_at, completed_at - sent_at
    FROM predictions
"""


@dataclass(frozen=True)
class Row:
    """A prediction as the database has it; seconds."""

    id: str
    number: int
    state: str
    error: str
    attempts: int
    queued: float | None
    """From being accepted until it was sent, the last time."""
    worked: float | None


@dataclass(frozen=True)
class Verdict:
    """Numbers of predictions, unless it says otherwise."""

    asked: int
    accepted: int
    states: Mapping[str, int]
    lost: Set[int]
    """Accepted, and not there or not ended."""
    made_twice: Set[int]
    billed_twice: Set[int]
    billed_in_vain: int
    """Paid for, and failed; each has to say that it may have been billed."""
    unsaid: Set[int]
    """Those of them that do not say so."""
    untold: Set[int]
    """Whose webhook never came."""
    other_errors: Mapping[str, int]
    again: int
    """Taken more than once, because the upstream refused or a process had died."""
    refused: int
    """Answers of the upstream that were a rate limit."""
    queued: Mapping[str, Sequence[float]]
    """Seconds until it was sent, of those sent at their first attempt; by tenant, in order."""

    @property
    def problems(self) -> list[str]:
        """What must not be."""
        found = {
            "accepted and lost": self.lost,
            "made twice": self.made_twice,
            "billed twice": self.billed_twice,
            "billed, failed, and does not say so": self.unsaid,
            "whose webhook never came": self.untold,
        }
        return [f"{what}: {sorted(which)}" for what, which in found.items() if which]


def rows(database_url: str) -> list[Row]:
    """All predictions."""
    with psycopg.connect(database_url) as connection:
        return [
            Row(id, _number(prompt), *others)
            for id, prompt, *others in connection.execute(_ROWS).fetchall()
        ]


def unfinished(database_url: str) -> int:
    """How many have not ended."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM predictions WHERE state IN ('queued', 'taken', 'sent')"
        ).fetchone()
    return int(found[0]) if found else 0


def judge(
    calls: Sequence[Call],
    all_rows: Sequence[Row],
    ledger: Sequence[Mapping[str, Any]],
    told: Set[int],
) -> Verdict:
    """Hold them against each other; rows of other calls do not count.

    Args:
        told: the numbers whose webhook came.
    """
    by_number = {call.wish.number: call for call in calls}
    mine = [row for row in all_rows if row.number in by_number]
    ended = {row.id: row for row in mine if row.state in _ENDED}
    billed = Counter(e["number"] for e in ledger if e["billed"] and e["number"] in by_number)
    failed = {row.number: row.error for row in mine if row.state == "failed"}
    in_vain = {number for number in failed if billed[number]}
    times = Counter(row.number for row in mine)
    queued: defaultdict[str, list[float]] = defaultdict(list)
    for row in mine:
        if row.attempts == 1 and row.queued is not None:
            queued[by_number[row.number].wish.tenant].append(row.queued)
    wants = {
        number
        for number, call in by_number.items()
        if call.id and call.wish.behaviour is Behaviour.IS_TOLD
    }
    return Verdict(
        asked=len(calls),
        accepted=sum(bool(call.id) for call in calls),
        states=Counter(row.state for row in mine),
        lost={call.wish.number for call in calls if call.id and call.id not in ended},
        made_twice={number for number, count in times.items() if count > 1},
        billed_twice={number for number, count in billed.items() if count > 1},
        billed_in_vain=len(in_vain),
        unsaid={number for number in in_vain if "may have been billed" not in failed[number]},
        untold=wants - told,
        other_errors=Counter(
            error for error in failed.values() if "may have been billed" not in error
        ),
        again=sum(row.attempts > 1 for row in mine),
        refused=sum(e["number"] in by_number and e["status"] == 429 for e in ledger),
        queued={tenant: sorted(each) for tenant, each in queued.items()},
    )


def at(share: float, ordered: Sequence[float]) -> float:
    """The value below which this share of them lies."""
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0


def _number(prompt: str) -> int:
    return int(prompt.partition("[#")[2].partition("]")[0])
