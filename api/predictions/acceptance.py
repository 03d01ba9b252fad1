"""The transaction that accepts a prediction: once it is through, nothing loses it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, func, select

from api.database import Connection
from api.errors import Throttled
from api.ids import now
from api.predictions import statements
from api.predictions.accounts import account_of
from api.predictions.answers import WAITING
from api.predictions.prediction import NewPrediction, Prediction, State
from api.predictions.repeats import Lost, Repeats
from api.sealing import Keyring
from api.tables import predictions
from api.tenants import Limits

_P = predictions.c
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
        life: names this run of the process.
        default_seconds: a prediction's deadline, counted from now, unless its caller's is earlier.
        reserved_dollars: what a prediction is taken to cost until its end tells.
    """

    def __init__(
        self,
        repeats: Repeats,
        keyring: Keyring,
        *,
        life: str,
        default_seconds: float,
        reserved_dollars: float,
    ) -> None:
        self._repeats = repeats
        self._keyring = keyring
        self._life = life
        self._default_seconds = default_seconds
        self._reserved_dollars = reserved_dollars

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

        def accept(connection: Connection, lost: Lost) -> Accepted:
            earlier = self._repeats.repeated(
                connection, new, lost, began_at=began_at, says_it_repeats=says_it_repeats
            )
            if earlier:
                return Accepted(earlier, is_new=False)
            self._check(connection, new.tenant_id, limits, 1)
            stored = self._store(connection, new, started_tag, says_it_repeats)
            return Accepted(stored, is_new=True)

        # One at a time for each tenant: what is counted and looked for here stays true.
        return await self._repeats.decide(accept, turn_of=f"accept {new.tenant_id}")

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

        def accept(connection: Connection, lost: Lost) -> AcceptedGroup:
            if same := _group(connection, first.tenant_id, first.group_id):
                return AcceptedGroup(same, repeats=first.group_id)
            earlier = self._repeats.repeated(
                connection, first, lost, began_at=began_at, says_it_repeats=False
            )
            if earlier:
                repeated = _group(connection, first.tenant_id, earlier.group_id)
                return AcceptedGroup(repeated, repeats=earlier.group_id)
            self._check(connection, first.tenant_id, limits, len(news))
            stored = [self._store(connection, new, started_tag, False) for new in news]
            return AcceptedGroup(stored, repeats=None)

        return await self._repeats.decide(accept, turn_of=f"accept {first.tenant_id}")

    def _store(
        self, connection: Connection, new: NewPrediction, started_tag: float, says_it_repeats: bool
    ) -> Prediction:
        which = {"the_tenant_id": new.tenant_id, "the_started_tag": started_tag}
        tag: float = connection.execute(statements.NEXT_TAG, which).scalar_one()
        values = self._row(new, tag) | {"before_its_first": says_it_repeats}
        return Prediction.of(connection.execute(statements.ACCEPT, values).mappings().one())

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
            "answer": WAITING,
            "accepted_by": self._life,
            "dollars": self._reserved_dollars,
        }

    def _check(self, connection: Connection, tenant_id: str, limits: Limits, count: int) -> None:
        running = connection.execute(statements.COUNT_UNFINISHED, {"the_tenant_id": tenant_id})
        if running.scalar_one() + count > limits.unfinished:
            raise Throttled(
                f"You have {limits.unfinished} unfinished predictions, as many as you may; "
                "wait until one has ended.",
                _FULL_RETRY,
            )
        if limits.dollars_a_day is None:
            return
        lately = and_(_P.tenant_id == tenant_id, _P.created_at > now() - _DAY)
        dollars = connection.execute(select(func.sum(_P.dollars)).where(lately)).scalar() or 0.0
        if dollars + count * self._reserved_dollars > limits.dollars_a_day:
            raise Throttled(
                f"Your predictions of the last 24 hours have cost about ${dollars:.2f} of the "
                f"${limits.dollars_a_day:.2f} that you may spend; ask the operator for more.",
                int(_DAY / 24),
            )


def _group(connection: Connection, tenant_id: str, group_id: str | None) -> list[Prediction]:
    theirs = and_(_P.tenant_id == tenant_id, _P.group_id == group_id)
    found = select(predictions).where(theirs).order_by(_P.caller_id)
    return [Prediction.of(row) for row in connection.execute(found).mappings()]
