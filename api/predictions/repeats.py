"""Whether a request repeats an earlier one, whose prediction it then gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import RowMapping, update

from api.database import Connection, Database
from api.ids import now
from api.predictions import statements
from api.predictions.answers import LOST, WAITING, Answers
from api.predictions.prediction import NewPrediction, Prediction
from api.tables import predictions

_Given = TypeVar("_Given")

_RESEND_WITHIN = 900.0  # seconds; clients that re-send give up long before


@dataclass(frozen=True)
class _Answer:
    """The first answer to an earlier request, which its caller may not have got."""

    prediction_id: str
    accepted_by: str


Lost = dict[_Answer, bool]
"""Which of those that were in doubt were lost."""


class _InDoubt(Exception):
    def __init__(self, answers: list[_Answer]) -> None:
        super().__init__("It is to be found out whether these answers were lost.")
        self.answers = answers


class Repeats:
    """Finds what a request repeats.

    Args:
        life: names this run of the process, so that a crash shows on what it left unanswered.
    """

    def __init__(self, database: Database, answers: Answers, life: str) -> None:
        self._database = database
        self._answers = answers
        self._life = life

    async def decide(self, work: Callable[[Connection, Lost], _Given], turn_of: str) -> _Given:
        """Do `work`, which asks `repeated`, in one transaction.

        Whether a caller has gone cannot be asked in its midst. Where it must be known, which is
        only where equal requests came at the same time, the transaction is done again with that.
        """
        lost: Lost = {}
        while True:
            try:
                return await self._database.write(
                    lambda connection: work(connection, lost), turn_of=turn_of
                )
            except _InDoubt as doubt:
                for answer in doubt.answers:
                    known = await self._was_lost(answer)
                    if known is not None:
                        lost[answer] = known

    def repeated(
        self,
        connection: Connection,
        new: NewPrediction,
        lost: Lost,
        *,
        began_at: float,
        says_it_repeats: bool,
    ) -> Prediction | None:
        """The prediction of the request that this one repeats; from now on it is this one's."""
        which = {
            "the_token_id": new.token_id,
            "the_request_hash": new.request_hash,
            "the_created_at": now() - _RESEND_WITHIN,
        }
        equal = connection.execute(statements.EQUAL, which).mappings().all()
        in_doubt = [] if says_it_repeats else [a for row in equal if (a := self._doubt(row, lost))]
        if in_doubt:
            raise _InDoubt(in_doubt)
        for row in equal:
            overtaken = row["before_its_first"] and began_at < row["created_at"]
            if says_it_repeats or overtaken or self._is_lost(row, lost):
                this_one = update(predictions).where(predictions.c.id == row["id"])
                again = {"answer": WAITING, "accepted_by": self._life, "before_its_first": False}
                connection.execute(this_one.values(again))
                return Prediction.of(row)
        return None

    def _doubt(self, row: RowMapping, lost: Lost) -> _Answer | None:
        """Its answer, if neither the row nor this process's memory says what became of it."""
        told, answer = self._answers.of(row["id"]), _Answer(row["id"], row["accepted_by"])
        is_clear = (told or row["answer"]) != WAITING or answer in lost
        left_by_us = told is None and answer.accepted_by == self._life
        return None if is_clear or left_by_us else answer

    def _is_lost(self, row: RowMapping, lost: Lost) -> bool:
        answer = _Answer(row["id"], row["accepted_by"])
        return lost.get(answer, (self._answers.of(row["id"]) or row["answer"]) == LOST)

    async def _was_lost(self, answer: _Answer) -> bool | None:
        """None where the row tells by now."""
        known = await self._answers.was_lost(answer.prediction_id)
        if known is not None or answer.accepted_by == self._life:
            return known
        # What a crash has left waiting was lost with it.
        return not await self._database.is_alive(answer.accepted_by)
