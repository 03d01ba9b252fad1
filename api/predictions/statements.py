"""The statements that run for every prediction, made once.

SQLAlchemy takes longer to build a statement than SQLite to answer it. Their parameters are named
`the_...`, since an UPDATE takes a column's own name for a value to set.
"""

from typing import Any

from sqlalchemy import Column, and_, bindparam, case, func, insert, select, update
from sqlalchemy.sql.elements import BindParameter

from api.predictions.prediction import UNFINISHED, WAITING, State
from api.tables import predictions, tenants

_P = predictions.c


def _the(name: str) -> BindParameter[Any]:
    column: Column[Any] = _P[name]
    return bindparam(f"the_{name}", type_=column.type)


BY_ID = select(predictions).where(_P.id == _the("id"))
BY_COG_ID = select(predictions).where(_P.cog_id == _the("cog_id"))

# Equal requests of one token, the newest first.
EQUAL = (
    select(predictions)
    .where(
        _P.token_id == _the("token_id"),
        _P.request_hash == _the("request_hash"),
        _P.created_at > _the("created_at"),
    )
    .order_by(_P.created_at.desc())
    .limit(10)
)
COUNT_UNFINISHED = select(func.count()).where(
    _P.tenant_id == _the("tenant_id"), _P.state.in_(UNFINISHED)
)
# Everybody's first goes before anybody's second, and nobody's hundredth waits for ever.
_LAST, _STARTED = tenants.c.last_tag, bindparam("the_started_tag", type_=tenants.c.last_tag.type)
NEXT_TAG = (
    update(tenants)
    .where(tenants.c.id == _the("tenant_id"))
    .values(last_tag=case((_LAST > _STARTED, _LAST), else_=_STARTED) + 1)
    .returning(_LAST)
)
ACCEPT = insert(predictions).returning(*_P)
NOTE_ANSWERS = (
    update(predictions)
    .where(_P.id.in_(bindparam("the_ids", expanding=True)))
    .values(answer=_the("answer"))
)

_THIS_ATTEMPT = and_(_P.id == _the("id"), _P.owner == _the("owner"), _P.attempt == _the("attempt"))

_TAKE = update(predictions).values(
    state=State.TAKEN,
    owner=_the("owner"),
    attempt=_P.attempt + 1,
    cog_id=_the("cog_id"),
    cog_identity=None,
    sent_at=None,
    started_at=None,
)
TAKE = _TAKE.where(_P.id == _the("id"), _P.state == State.QUEUED).returning(*_P)

# Materialized, since Postgres may run a plain sub-select once for each row of the UPDATE, and would
# take them all.
_NEXT = (
    select(_P.id)
    .where(
        _P.state == State.QUEUED,
        _P.not_before <= _the("not_before"),
        _P.model.in_(bindparam("the_models", expanding=True)),
    )
    .order_by(_P.tag)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("next")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
TAKE_NEXT = _TAKE.where(_P.id == _NEXT.c.id, _P.state == State.QUEUED).returning(*_P)
SOONEST = select(func.min(_P.not_before)).where(
    _P.state == State.QUEUED, _P.model.in_(bindparam("the_models", expanding=True))
)

NOTE_SENT = (
    update(predictions)
    .where(_THIS_ATTEMPT, _P.state == State.TAKEN, _P.deadline > _the("sent_at"))
    .values(state=State.SENT, sent_at=_the("sent_at"), cog_identity=_the("cog_identity"))
    .returning(*_P)
)

START = (
    update(predictions)
    .where(_P.cog_id == _the("cog_id"), _P.state == State.SENT, _P.started_at.is_(None))
    .values(started_at=_the("started_at"))
    .returning(*_P)
)

_END = {
    name: _the(name) for name in ("state", "output", "error", "logs", "metrics", "completed_at")
}
END_SENT = (
    update(predictions)
    .where(_THIS_ATTEMPT, _P.state == State.SENT)
    .values(**_END, secrets=None, dollars=func.coalesce(_the("dollars"), _P.dollars))
    .returning(*_P)
)
END_WAITING = (
    update(predictions)
    .where(_P.id == _the("id"), _P.state.in_(WAITING))
    .values(**_END, secrets=None, dollars=0.0)
    .returning(*_P)
)
