"""The transaction that accepts a prediction: once it is through, nothing loses it."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, case, func, insert, select, update

from api.database import Connection, Database
from api.errors import Throttled
from api.ids import now
from api.predictions.accounts import account_of
from api.predictions.prediction import UNFINISHED, NewPrediction, Prediction, State
from api.sealing import Keyring
from api.tables import predictions, tenants
from api.tenants import Limits

_P = predictions.c
_RESEND_WITHIN = 900.0  # seconds; clients that re-send give up long before
_DAY = 86400.0
_FULL_RETRY = 5  # seconds to suggest where only the end of other predictions makes room
_OWN_COLUMNS = {"seconds", "secrets"}  # of NewPrediction, which are stored in another form


@dataclass(frozen=True)
class Accepted:
    """A prediction that a request got."""

    prediction: Prediction
    is_new: bool
    """False where the request repeats an earlier one, whose prediction this is."""


@dataclass(frozen=True)
class AcceptedGroup:
    """The predictions of a group, in the order in which they were asked for."""

    predictions: list[Prediction]
    repeats: str | None
    """Whose predictions these are, where they are not new: the id of an earlier group."""


class Acceptance:
    """Stores new predictions.

    Args:
        life: names this run of the process, so that a crash shows on what it left unanswered.
        default_seconds: a prediction's deadline, counted from now, unless its caller's is earlier.
        reserved_dollars: what a prediction is taken to cost until its end tells.
        answer_was_lost: whether a prediction's caller has gone before its answer; None where
            this life of the process does not know.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        life: str,
        default_seconds: float,
        reserved_dollars: float,
        answer_was_lost: Callable[[str], Awaitable[bool | None]],
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._life = life
        self._default_seconds = default_seconds
        self._reserved_dollars = reserved_dollars
        self._answer_was_lost = answer_was_lost

    async def accept(
        self,
        new: NewPrediction,
        limits: Limits,
        *,
        began_at: float,
        says_it_repeats: bool,
        started_tag: float,
    ) -> Accepted:
        """Store it as queued; or find the one that this request repeats.

        A request repeats another where its client says so, or where an equal one's connection
        ended before its answer was written. One that was overtaken by its own repetition gets
        that one's prediction. Calls that are merely alike are two predictions.

        Args:
            began_at: when the request came.

        Raises:
            Throttled: the tenant has as many unfinished predictions, or has spent as much, as it
                may.
        """
        # One at a time for each tenant: what is counted and looked for here stays true.
        async with self._database.write(turn_of=f"accept {new.tenant_id}") as connection:
            if earlier := await self._repeated(connection, new, began_at, says_it_repeats):
                return Accepted(earlier, is_new=False)
            await self._check(connection, new.tenant_id, limits, 1)
            stored = await self._store(connection, new, started_tag, says_it_repeats)
        return Accepted(stored, is_new=True)

    async def accept_group(
        self, news: Sequence[NewPrediction], limits: Limits, *, began_at: float, started_tag: float
    ) -> AcceptedGroup:
        """Store all of one group as queued, or none; or find the group that this request repeats.

        That is the one that has its id, or one that was asked for in the same words and whose
        answer was lost.

        Raises:
            Throttled: as in `accept`.
        """
        first = news[0]
        async with self._database.write(turn_of=f"accept {first.tenant_id}") as connection:
            if same := await _group(connection, first.tenant_id, first.group_id):
                return AcceptedGroup(same, repeats=first.group_id)
            if lost := await self._repeated(connection, first, began_at, says_it_repeats=False):
                earlier = await _group(connection, first.tenant_id, lost.group_id)
                return AcceptedGroup(earlier, repeats=lost.group_id)
            await self._check(connection, first.tenant_id, limits, len(news))
            stored = [await self._store(connection, new, started_tag, False) for new in news]
        return AcceptedGroup(stored, repeats=None)

    async def _store(
        self, connection: Connection, new: NewPrediction, started_tag: float, says_it_repeats: bool
    ) -> Prediction:
        tag = await _next_tag(connection, new.tenant_id, started_tag)
        values = self._row(new, tag) | {"before_its_first": says_it_repeats}
        row = insert(predictions).values(values).returning(*_P)
        return Prediction.of(dict((await connection.execute(row)).mappings().one()))

    def _row(self, new: NewPrediction, tag: float) -> dict[str, Any]:
        created_at = now()
        row = {name: value for name, value in asdict(new).items() if name not in _OWN_COLUMNS}
        secrets = self._keyring.seal(json.dumps(dict(new.secrets)), new.id) if new.secrets else None
        seconds = min(new.seconds or self._default_seconds, self._default_seconds)
        return row | {
            "secrets": secrets,
            "account": account_of(new.secrets, self._keyring),
            "state": State.QUEUED,
            "tag": tag,
            "created_at": created_at,
            "deadline": created_at + seconds,
            "cancel_after": new.seconds is not None,
            "webhook_events": list(new.webhook_events),
            "answer": "waiting",
            "accepted_by": self._life,
            "dollars": self._reserved_dollars,
        }

    async def _repeated(
        self, connection: Connection, new: NewPrediction, began_at: float, says_it_repeats: bool
    ) -> Prediction | None:
        equal = and_(
            _P.token_id == new.token_id,
            _P.request_hash == new.request_hash,
            _P.created_at > now() - _RESEND_WITHIN,
        )
        found = select(predictions).where(equal).order_by(_P.created_at.desc()).limit(10)
        for row in (await connection.execute(found)).mappings().all():
            overtaken = row["before_its_first"] and began_at < row["created_at"]
            answer = row["id"], row["answer"], row["accepted_by"]
            if says_it_repeats or overtaken or await self._was_lost(connection, *answer):
                this_one = update(predictions).where(_P.id == row["id"])
                again = {"answer": "waiting", "accepted_by": self._life, "before_its_first": False}
                await connection.execute(this_one.values(again))
                return Prediction.of(dict(row))
        return None

    async def _was_lost(
        self, connection: Connection, prediction_id: str, answer: str, accepted_by: str
    ) -> bool:
        known = await self._answer_was_lost(prediction_id)
        if known is not None:
            return known
        if answer != "waiting" or accepted_by == self._life:
            return answer == "lost"
        # What a crash has left waiting was lost with it.
        return not await self._database.is_alive(connection, accepted_by)

    async def _check(
        self, connection: Connection, tenant_id: str, limits: Limits, count: int
    ) -> None:
        theirs = _P.tenant_id == tenant_id
        running = select(func.count()).where(theirs, _P.state.in_(UNFINISHED))
        if (await connection.execute(running)).scalar_one() + count > limits.unfinished:
            raise Throttled(
                f"You have {limits.unfinished} unfinished predictions, as many as you may; "
                "wait until one has ended.",
                _FULL_RETRY,
            )
        if limits.dollars_a_day is None:
            return
        spent = select(func.sum(_P.dollars)).where(theirs, _P.created_at > now() - _DAY)
        dollars = (await connection.execute(spent)).scalar() or 0.0
        if dollars + count * self._reserved_dollars > limits.dollars_a_day:
            raise Throttled(
                f"Your predictions of the last 24 hours have cost about ${dollars:.2f} of the "
                f"${limits.dollars_a_day:.2f} that you may spend; ask the operator for more.",
                int(_DAY / 24),
            )


async def _group(connection: Connection, tenant_id: str, group_id: str | None) -> list[Prediction]:
    theirs = and_(_P.tenant_id == tenant_id, _P.group_id == group_id)
    found = select(predictions).where(theirs).order_by(_P.caller_id)
    rows = (await connection.execute(found)).mappings().all()
    return [Prediction.of(dict(row)) for row in rows]


async def _next_tag(connection: Connection, tenant_id: str, started_tag: float) -> float:
    # Everybody's first goes before anybody's second, and nobody's hundredth waits for ever.
    last = tenants.c.last_tag
    following = case((last > started_tag, last), else_=started_tag) + 1
    tagged = update(tenants).where(tenants.c.id == tenant_id).values(last_tag=following)
    tag: float = (await connection.execute(tagged.returning(last))).scalar_one()
    return tag
