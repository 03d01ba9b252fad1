"""What an operator looks at: the queue, what each tenant has spent, and why predictions failed."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from sqlalchemy import case, func, select

from api.cogs import cogs_of
from api.database import Connection
from api.dialects.replicate.caller import Caller
from api.errors import Forbidden
from api.ids import now
from api.parts import The
from api.predictions.prediction import UNFINISHED, State
from api.tables import files, predictions, tenants
from api.tenants import Limits

router = APIRouter(include_in_schema=False)

_P = predictions.c
_DAY = 86400
_DAYS = 14
_FAILURES_SINCE = 7 * _DAY


@router.get("/playground/overview")
async def overview(tenant: Caller, the: The) -> dict[str, Any]:
    """For operators alone."""
    if not tenant.is_operator:
        raise Forbidden("This is for operators; sign in with an operator's token.")
    slots = sum(each.slots for each in cogs_of(the.settings))
    return await the.database.read(_shown) | {"slots": slots}


def _shown(connection: Connection) -> dict[str, Any]:
    return {
        "queue": _queue(connection),
        "days": _days(connection),
        "tenants": _tenants(connection),
        "failures": _failures(connection),
    }


def _queue(connection: Connection) -> dict[str, Any]:
    waits = _P.state == State.QUEUED
    found = select(
        func.coalesce(func.sum(case((waits, 1), else_=0)), 0).label("waiting"),
        func.coalesce(func.sum(case((waits, 0), else_=1)), 0).label("running"),
        func.min(case((waits, _P.created_at))).label("oldest"),
    ).where(_P.state.in_(UNFINISHED))
    row = connection.execute(found).mappings().one()
    oldest = row["oldest"]
    return {
        "waiting": int(row["waiting"]),
        "running": int(row["running"]),
        "oldest_seconds": None if oldest is None else max(now() - oldest, 0.0),
    }


@dataclass(frozen=True)
class _Span:
    """A day in UTC, in seconds since the epoch."""

    start: int

    @property
    def name(self) -> str:
        return f"day_{self.start}"


def _days(connection: Connection) -> list[dict[str, Any]]:
    """What was spent on each of the last days, today last; what runs counts as reserved."""
    today = int(now()) // _DAY * _DAY
    days = [_Span(today - back * _DAY) for back in reversed(range(_DAYS))]
    sums = [
        func.coalesce(
            func.sum(
                case(
                    (_P.created_at.between(day.start, day.start + _DAY - 1e-6), _P.dollars),
                    else_=0.0,
                )
            ),
            0.0,
        ).label(day.name)
        for day in days
    ]
    found = select(*sums).where(_P.created_at >= days[0].start)
    row = connection.execute(found).mappings().one()
    return [{"day": day.start, "dollars": row[day.name]} for day in days]


def _tenants(connection: Connection) -> list[dict[str, Any]]:
    since = now() - _DAY
    unfinished = case((_P.completed_at.is_(None), 1), else_=0)
    lately = case((_P.created_at > since, _P.dollars), else_=0.0)
    spent = (
        select(
            _P.tenant_id,
            func.count().label("predictions"),
            func.sum(unfinished).label("unfinished"),
            func.sum(lately).label("dollars_today"),
            func.sum(_P.dollars).label("dollars"),
        )
        .group_by(_P.tenant_id)
        .subquery()
    )
    kept = (
        select(files.c.tenant_id, func.sum(files.c.size).label("bytes"))
        .group_by(files.c.tenant_id)
        .subquery()
    )
    found = (
        select(tenants, spent, kept.c.bytes)
        .outerjoin(spent, spent.c.tenant_id == tenants.c.id)
        .outerjoin(kept, kept.c.tenant_id == tenants.c.id)
        .order_by(tenants.c.name)
    )
    rows = connection.execute(found).mappings().all()
    return [
        {
            "name": row[tenants.c.name],
            "operator": row[tenants.c.role] == "operator",
            "predictions": row["predictions"] or 0,
            "unfinished": row["unfinished"] or 0,
            "dollars_today": row["dollars_today"] or 0.0,
            "dollars": row["dollars"] or 0.0,
            "dollars_a_day": Limits.of(row[tenants.c.limits]).dollars_a_day,
            "bytes": int(row["bytes"] or 0),
        }
        for row in rows
    ]


def _failures(connection: Connection) -> list[dict[str, Any]]:
    """By class, the commonest first; those that the model did not class have None."""
    kind = _P.metrics["error_class"].as_string()
    found = (
        select(kind.label("kind"), func.count().label("count"))
        .where(_P.state == State.FAILED, _P.completed_at > now() - _FAILURES_SINCE)
        .group_by(kind)
        .order_by(func.count().desc())
    )
    rows = connection.execute(found).mappings().all()
    return [{"class": row["kind"], "count": row["count"]} for row in rows]
