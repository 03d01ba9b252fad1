"""The statements that run for every prediction, made once.

SQLAlchemy takes longer to build a statement than SQLite to answer it. Their parameters are named
`the_...`, since an UPDATE takes a column's own name for a value to set.
"""

from typing import Any

from sqlalchemy import (
    Column,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.elements import BindParameter

from api.predictions.prediction import UNFINISHED, WAITING, State
from api.tables import accounts, predictions, tenants

_P = predictions.c
_A = accounts.c


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
# Not as IN, which SQLAlchemy writes anew each time.
COUNT_UNFINISHED = select(func.count()).where(
    _P.tenant_id == _the("tenant_id"), or_(*(_P.state == state for state in UNFINISHED))
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

OVERDUE = (
    select(predictions)
    .where(_P.state.in_(WAITING), _P.deadline <= _the("deadline"))
    .order_by(_P.created_at, _P.id)
)
ABANDONED = (
    select(predictions)
    .where(_P.state == State.SENT, _P.deadline <= _the("deadline"))
    .order_by(_P.created_at, _P.id)
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
_HELD = select(_A.id).where(_A.id == _P.account, _A.held_until > bindparam("the_now")).exists()
TAKE = _TAKE.where(_P.id == _the("id"), _P.state == State.QUEUED, ~_HELD).returning(*_P)
HELD_BACK = (
    select(_A.id, _A.held_until)
    .join(predictions, _P.account == _A.id)
    .where(_P.id == _the("id"), _P.state == State.QUEUED, _A.held_until > bindparam("the_now"))
)

# Materialized, since Postgres may run a plain sub-select once for each row of the UPDATE, and would
# take them all.
_NEXT = (
    select(_P.id)
    .where(
        _P.state == State.QUEUED,
        _P.not_before <= bindparam("the_now"),
        _P.model == _the("model"),
        ~_HELD,
    )
    .order_by(_P.tag)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("next")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
TAKE_NEXT = _TAKE.where(_P.id == _NEXT.c.id, _P.state == State.QUEUED).returning(*_P)
SOONEST = (
    select(func.min(func.greatest(_P.not_before, func.coalesce(_A.held_until, 0.0))))
    .select_from(predictions)
    .outerjoin(accounts, _P.account == _A.id)
    .where(_P.state == State.QUEUED, _P.model == _the("model"))
)
_COUNTED = (_P.account, _P.sent_at, _P.weight)
COUNTED = union_all(
    select(*_COUNTED).where(_P.account == _the("account"), _P.sent_at > bindparam("the_since")),
    # By the state alone, or SQLite would look at all that the account has ever sent.
    select(*_COUNTED).where(_P.state == State.TAKEN, _P.id != _the("id")),
)
"""What the account has sent since then; and what any is about to send."""

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
