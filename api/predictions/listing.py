"""Predictions a page at a time, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from api.database import Connection, Database
from api.predictions.prediction import Prediction, State
from api.tables import predictions

_P = predictions.c


@dataclass(frozen=True)
class Page:
    """Which predictions to list, newest first."""

    tenant_id: str | None
    """None lists all tenants'."""
    limit: int
    before: tuple[float, str] | None = None
    after: tuple[float, str] | None = None
    created_before: float | None = None
    created_after: float | None = None
    states: Sequence[State] = ()
    """Empty lists them in any state."""


async def listed(database: Database, page: Page) -> list[Prediction]:
    """One page; nearest to `after` where that is given, still newest first."""
    place = (_P.created_at, _P.id)
    conditions: list[ColumnElement[bool]] = []
    if page.tenant_id:
        conditions.append(_P.tenant_id == page.tenant_id)
    for bound, is_older in ((page.before, True), (page.after, False)):
        if bound:
            time, id = bound
            beyond = _P.created_at < time if is_older else _P.created_at > time
            next_id = _P.id < id if is_older else _P.id > id
            conditions.append(or_(beyond, and_(_P.created_at == time, next_id)))
    if page.states:
        conditions.append(_P.state.in_(page.states))
    if page.created_before is not None:
        conditions.append(_P.created_at < page.created_before)
    if page.created_after is not None:
        conditions.append(_P.created_at >= page.created_after)
    order = [column.asc() if page.after else column.desc() for column in place]
    found = select(predictions).where(*conditions).order_by(*order).limit(page.limit)

    def found_rows(connection: Connection) -> list[Prediction]:
        return [Prediction.of(row) for row in connection.execute(found).mappings()]

    rows = await database.read(found_rows)
    return rows[::-1] if page.after else rows
