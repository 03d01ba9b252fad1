"""All SQL on predictions that are accepted: only their row decides what happens to them.

Each step is one conditional UPDATE on state, owner and attempt; None or False means that somebody
else was first, and the caller stops.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, and_, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from api.database import Database
from api.ids import now
from api.predictions import statements
from api.predictions.deliveries import queue_deliveries
from api.predictions.prediction import UNFINISHED, WAITING, End, Prediction, State
from api.tables import predictions

_P = predictions.c


class Store:
    """The table `predictions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: str) -> Prediction | None:
        """The prediction, whoever's it is."""
        return await self._one(statements.BY_ID, the_id=prediction_id)

    async def by_cog_id(self, cog_id: str) -> Prediction | None:
        """The prediction whose present attempt Cog knows by that id."""
        return await self._one(statements.BY_COG_ID, the_cog_id=cog_id)

    async def group(self, tenant_id: str, group_id: str) -> list[Prediction]:
        """The predictions of a group, in their order."""
        return await self._many(
            and_(_P.tenant_id == tenant_id, _P.group_id == group_id), _P.caller_id
        )

    async def unfinished(self) -> list[Prediction]:
        """All that have not ended."""
        return await self._many(_P.state.in_(UNFINISHED))

    async def any_may_end_by_itself(self) -> bool:
        """Whether a prediction is with Cog whose deadline has not passed."""
        may_end = and_(_P.state == State.SENT, _P.deadline > now())
        async with self._database.read() as connection:
            found = select(_P.id).where(may_end).limit(1)
            return (await connection.execute(found)).first() is not None

    async def overdue(self) -> list[Prediction]:
        """Those that wait, and whose deadline has passed."""
        return await self._many(and_(_P.state.in_(WAITING), _P.deadline <= now()))

    async def last_started_tag(self) -> float:
        """The tag of the prediction that was sent last: where the fair order has come to."""
        found = select(_P.tag).where(_P.sent_at.is_not(None)).order_by(_P.sent_at.desc()).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(found)).scalar() or 0.0

    async def count_by_state(self) -> dict[str, int]:
        """How many predictions there are in each state."""
        found = select(_P.state, func.count()).group_by(_P.state)
        async with self._database.read() as connection:
            rows = (await connection.execute(found)).tuples().all()
        return dict(rows)

    async def oldest_queued_at(self) -> float | None:
        """When the prediction was created that has waited longest."""
        found = select(func.min(_P.created_at)).where(_P.state == State.QUEUED)
        async with self._database.read() as connection:
            oldest: float | None = (await connection.execute(found)).scalar()
        return oldest

    async def take(self, prediction_id: str, owner: str) -> Prediction | None:
        """QUEUED to TAKEN, with a number and a Cog id of its own for this attempt."""
        # A secret: Cog shows whoever repeats it the whole input, keys included.
        cog_id = secrets.token_hex(16)
        return await self._change(
            statements.TAKE,
            durable=False,
            the_id=prediction_id,
            the_owner=owner,
            the_cog_id=cog_id,
        )

    async def note_sent(self, taken: Prediction, cog_identity: str) -> bool:
        """TAKEN to SENT, on disk before Cog is asked; not after its deadline."""
        noted = await self._change(
            statements.NOTE_SENT,
            **_of_attempt(taken),
            the_sent_at=now(),
            the_cog_identity=cog_identity,
        )
        return noted is not None

    async def take_back_note(self, sent: Prediction) -> Prediction | None:
        """SENT to TAKEN, because Cog said that it has not started this attempt."""
        never_started = and_(_P.state == State.SENT, _P.started_at.is_(None))
        taken_back = (
            update(predictions)
            .where(_attempt_of(sent), never_started)
            .values(state=State.TAKEN, sent_at=None)
        )
        return await self._change(taken_back)

    async def start(self, cog_id: str) -> Prediction | None:
        """Note when Cog began with the attempt."""
        return await self._change(
            statements.START, durable=False, the_cog_id=cog_id, the_started_at=now()
        )

    async def requeue_unsent(self, owner: str) -> None:
        """TAKEN to QUEUED, for all that this owner's earlier life had taken and not sent."""
        waiting = and_(_P.owner == owner, _P.state == State.TAKEN)
        async with self._database.write() as connection:
            await connection.execute(update(predictions).where(waiting).values(state=State.QUEUED))

    async def release(self, taken: Prediction) -> bool:
        """TAKEN to QUEUED."""
        released = update(predictions).where(_attempt_of(taken), _P.state == State.TAKEN)
        return await self._change(released.values(state=State.QUEUED)) is not None

    async def queue_again(self, sent: Prediction, not_before: float) -> Prediction | None:
        """SENT to QUEUED, because the attempt ended with a failure that was not billed."""
        return await self._change(
            update(predictions)
            .where(_attempt_of(sent), _P.state == State.SENT, _P.cancel_at.is_(None))
            .values(state=State.QUEUED, not_before=not_before, sent_at=None, started_at=None)
        )

    async def ask_to_cancel(self, prediction_id: str) -> Prediction | None:
        """Note on a SENT prediction that it is to be cancelled; its worker sees to that."""
        return await self._change(
            update(predictions)
            .where(_P.id == prediction_id, _P.state == State.SENT)
            .values(cancel_at=func.coalesce(_P.cancel_at, now()))
        )

    async def end_waiting(self, prediction_id: str, end: End) -> Prediction | None:
        """QUEUED or TAKEN to its end: nothing was sent."""
        return await self._end(statements.END_WAITING, end, the_id=prediction_id)

    async def end_sent(
        self, sent: Prediction, end: End, dollars: float | None = None
    ) -> Prediction | None:
        """SENT to its end, once; `dollars` settles what was reserved."""
        which = _of_attempt(sent) | {"the_dollars": dollars}
        return await self._end(statements.END_SENT, end, **which)

    async def end_all(self, end: End) -> int:
        """Every unfinished prediction to the same end; how many there were."""
        unfinished = await self.unfinished()
        for prediction in unfinished:
            if prediction.state is State.SENT:
                await self.end_sent(prediction, end)
            else:
                await self.end_waiting(prediction.id, end)
        return len(unfinished)

    async def note_answers(self, answers: Mapping[str, str]) -> None:
        """Note whether each prediction's first answer was written to its caller, or lost."""
        async with self._database.write(durable=False) as connection:
            for outcome in set(answers.values()):
                ids = [id for id, each in answers.items() if each == outcome]
                noted = update(predictions).where(_P.id.in_(ids)).values(answer=outcome)
                await connection.execute(noted)

    async def _end(
        self, ended: ReturningUpdate[Any], end: End, **which: object
    ) -> Prediction | None:
        values = {
            "the_state": end.state,
            "the_output": end.output,
            "the_error": end.error,
            "the_logs": end.logs,
            "the_metrics": dict(end.metrics or {}),
            "the_completed_at": now(),
        }
        async with self._database.write() as connection:
            row = (await connection.execute(ended, values | which)).mappings().first()
            if row is None:
                return None
            prediction = Prediction.of(dict(row))
            await queue_deliveries(connection, prediction)
        return prediction

    async def _change(
        self, changed: Update | ReturningUpdate[Any], *, durable: bool = True, **which: object
    ) -> Prediction | None:
        """Not `durable` where a power cut may undo it: what was taken only counts once sent."""
        returning = changed if isinstance(changed, ReturningUpdate) else changed.returning(*_P)
        async with self._database.write(durable=durable) as connection:
            row = (await connection.execute(returning, which)).mappings().first()
        return Prediction.of(dict(row)) if row else None

    async def _one(self, found: Select[Any], **which: str) -> Prediction | None:
        async with self._database.read() as connection:
            row = (await connection.execute(found, which)).mappings().first()
        return Prediction.of(dict(row)) if row else None

    async def _many(
        self, condition: ColumnElement[bool], *order: ColumnElement[Any]
    ) -> list[Prediction]:
        order = order or (_P.created_at, _P.id)
        found = select(predictions).where(condition).order_by(*order)
        async with self._database.read() as connection:
            rows = (await connection.execute(found)).mappings().all()
        return [Prediction.of(dict(row)) for row in rows]


def _attempt_of(prediction: Prediction) -> ColumnElement[bool]:
    return and_(
        _P.id == prediction.id,
        _P.owner == prediction.owner,
        _P.attempt == prediction.attempt,
    )


def _of_attempt(prediction: Prediction) -> dict[str, Any]:
    return {
        "the_id": prediction.id,
        "the_owner": prediction.owner,
        "the_attempt": prediction.attempt,
    }
