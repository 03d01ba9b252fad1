"""All SQL on predictions that are accepted: only their row decides what happens to them.

Each step is one conditional UPDATE on state, owner and attempt; None or False means that somebody
else was first, and the caller stops.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from api.database import Connection
from api.ids import now
from api.predictions import statements
from api.predictions.deliveries import queue_deliveries
from api.predictions.prediction import End, Prediction, State
from api.predictions.taking import Taking
from api.tables import predictions, workers

_P = predictions.c


class Store(Taking):
    """The table `predictions`."""

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

    async def keep_logs(self, sent: Prediction, logs: str) -> None:
        """Note what has been logged so far."""
        this_one = update(predictions).where(_attempt_of(sent), _P.state == State.SENT)
        kept = this_one.values(logs=logs)
        await self._database.write(lambda connection: connection.execute(kept), durable=False)

    async def requeue_unsent(self, owner: str) -> None:
        """TAKEN to QUEUED, for all that this owner has taken and not sent."""
        await self._requeue(_P.owner == owner)

    async def requeue_of_the_silent(self, since: float) -> int:
        """The same for owners that have not told since then that they live; how many."""
        living = select(workers.c.name).where(workers.c.beat_at > since)
        return await self._requeue(_P.owner.not_in(living))

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

        def note(connection: Connection) -> None:
            for outcome in set(answers.values()):
                ids = [id for id, each in answers.items() if each == outcome]
                which = {"the_ids": ids, "the_answer": outcome}
                connection.execute(statements.NOTE_ANSWERS, which)

        await self._database.write(note, durable=False)

    async def _requeue(self, whose: ColumnElement[bool]) -> int:
        unsent = and_(whose, _P.state == State.TAKEN)
        requeued = update(predictions).where(unsent).values(state=State.QUEUED).returning(_P.id)
        ids = await self._database.write(lambda connection: connection.execute(requeued).all())
        return len(ids)

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

        def to_its_end(connection: Connection) -> Prediction | None:
            row = connection.execute(ended, values | which).mappings().first()
            if row is None:
                return None
            prediction = Prediction.of(row)
            queue_deliveries(connection, prediction)
            return prediction

        return await self._database.write(to_its_end)

    async def _change(
        self, changed: Update | ReturningUpdate[Any], *, durable: bool = True, **which: object
    ) -> Prediction | None:
        """Not `durable` where a power cut may undo it: what was taken only counts once sent."""
        returning = changed if isinstance(changed, ReturningUpdate) else changed.returning(*_P)

        def change(connection: Connection) -> Prediction | None:
            row = connection.execute(returning, which).mappings().first()
            return Prediction.of(row) if row else None

        return await self._database.write(change, durable=durable)


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
