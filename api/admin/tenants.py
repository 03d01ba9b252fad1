"""What tenants may do, and what they have spent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import func, select, update

from api.admin.refusal import Refused
from api.database import Connection, Database
from api.ids import now
from api.tables import predictions, tenants
from api.tenants import Limits

_DAY = 86400.0


@dataclass(frozen=True)
class Spent:
    """What a tenant has spent."""

    tenant: str
    predictions: int
    dollars: float
    """What ended predictions have told, and what is reserved for the rest."""


def tenant_id(connection: Connection, name: str) -> str:
    """The id of the tenant of that name.

    Raises:
        Refused: there is none.
    """
    found = select(tenants.c.id).where(tenants.c.name == name)
    known = connection.execute(found).scalar()
    if known is None:
        raise Refused(f"There is no tenant {name}; `python -m api token create {name}` makes one.")
    return str(known)


async def limits(database: Database, name: str, changed: Mapping[str, Any]) -> Limits:
    """The tenant's limits, once those in `changed` are what it says; they hold at once.

    Raises:
        Refused: there is no such tenant.
    """

    def change(connection: Connection) -> Limits:
        this_one = tenants.c.id == tenant_id(connection, name)
        stored = connection.execute(select(tenants.c.limits).where(this_one)).scalar_one()
        new = replace(Limits.of(stored), **changed)
        if changed:
            kept = stored | asdict(new)
            connection.execute(update(tenants).where(this_one).values(limits=kept))
        return new

    return await database.write(change, turn_of=f"limits {name}")


async def spent(database: Database, days: float) -> list[Spent]:
    """What each tenant has spent in so many days, the largest first."""
    dollars = func.coalesce(func.sum(predictions.c.dollars), 0.0)
    recent = predictions.c.created_at > now() - days * _DAY
    found = (
        select(tenants.c.name, func.count(predictions.c.id), dollars)
        .outerjoin(predictions, (predictions.c.tenant_id == tenants.c.id) & recent)
        .group_by(tenants.c.name)
        .order_by(dollars.desc(), tenants.c.name)
    )
    rows = await database.read(lambda connection: connection.execute(found).all())
    return [Spent(name, int(count), float(sum_)) for name, count, sum_ in rows]


LIMITS = tuple(field.name for field in fields(Limits))
"""The names of all limits."""
