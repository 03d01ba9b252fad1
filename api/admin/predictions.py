"""Queues predictions again that failed before they were sent, when an operator says so."""

from typing import Any

from sqlalchemy import and_, delete, select, update

from api.database import Connection, Database
from api.ids import now
from api.predictions.prediction import Prediction, State
from api.tables import deliveries, predictions, workers

_P = predictions.c
_HOUR = 3600.0
_REDACTED = "[REDACTED]"  # what is shown for a secret input, which went at the prediction's end


async def requeue(
    database: Database, hours: float, reserved_dollars: float
) -> tuple[list[str], list[str]]:
    """Put back what failed unsent in so many hours: its ids; and those whose secrets are gone.

    Nothing was sent for these, so nothing is paid twice. Each has as long as it had at first, and
    its caller is told of the new end too.
    """
    failed = and_(
        _P.state == State.FAILED,
        _P.sent_at.is_(None),
        _P.removed_at.is_(None),
        _P.completed_at > now() - hours * _HOUR,
    )

    def all_failed(connection: Connection) -> list[Prediction]:
        rows = connection.execute(select(predictions).where(failed)).mappings()
        return [Prediction.of(row) for row in rows]

    found = await database.read(all_failed)
    without_secrets = [each for each in found if _REDACTED not in each.input.values()]
    done = [each.id for each in without_secrets if await _again(database, each, reserved_dollars)]
    await _tell_workers(database)
    return done, [each.id for each in found if each not in without_secrets]


async def _again(database: Database, failed: Prediction, reserved_dollars: float) -> bool:
    values: dict[str, Any] = {
        "state": State.QUEUED,
        "deadline": now() + failed.deadline - failed.created_at,
        "not_before": 0.0,
        "completed_at": None,
        "error": None,
        "logs": "",
        "metrics": None,
        "dollars": reserved_dollars,
    }
    still_so = and_(_P.id == failed.id, _P.state == State.FAILED, _P.sent_at.is_(None))
    again = update(predictions).where(still_so).values(values).returning(_P.id)

    def requeued(connection: Connection) -> bool:
        if connection.execute(again).first() is None:
            return False
        connection.execute(delete(deliveries).where(deliveries.c.prediction_id == failed.id))
        return True

    return await database.write(requeued)


async def _tell_workers(database: Database) -> None:
    """At their next beat: one that holds the order in memory does not see new rows."""
    look = update(workers).values(looks=True)
    await database.write(lambda connection: connection.execute(look))
