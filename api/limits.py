"""How many requests a minute each tenant may make: a bucket that fills again evenly.

It is in this process's memory, or in the database where several processes count together.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Double, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from api.database import Connection, Database
from api.errors import Throttled
from api.tables import rates
from api.tenants import Tenant

_MINUTE = 60.0


@dataclass
class _Bucket:
    left: float
    filled_at: float = field(default_factory=time.monotonic)

    def take(self, per_minute: int) -> float:
        """Seconds to wait until there is one; 0 takes it."""
        now = time.monotonic()
        self.left += (now - self.filled_at) * per_minute / _MINUTE
        self.left, self.filled_at = min(self.left, float(per_minute)), now
        if per_minute == 0:
            return _MINUTE
        if self.left < 1:
            return (1 - self.left) * _MINUTE / per_minute
        self.left -= 1
        return 0.0


class _Buckets(Protocol):
    async def take(self, tenant_id: str, creates: bool, per_minute: int) -> float:
        """Seconds to wait until there is one; 0 takes it."""


class _InMemory:
    def __init__(self) -> None:
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    async def take(self, tenant_id: str, creates: bool, per_minute: int) -> float:
        bucket = self._buckets.setdefault((tenant_id, creates), _Bucket(float(per_minute)))
        return bucket.take(per_minute)


class _InDatabase:
    """One UPDATE a request, by the database's clock, so that no two processes take the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, tenant_id: str, creates: bool, per_minute: int) -> float:
        if per_minute == 0:
            return _MINUTE
        time_now = cast(func.extract("epoch", func.clock_timestamp()), Double)
        whose = {"tenant_id": tenant_id, "creates": creates}
        flowed = (time_now - rates.c.filled_at) * per_minute / _MINUTE
        now_left = func.least(float(per_minute), rates.c.left + flowed)
        taking = (
            insert(rates)
            .values(**whose, left=per_minute - 1.0, filled_at=time_now)
            .on_conflict_do_update(
                index_elements=list(whose),
                set_={"left": now_left - 1, "filled_at": time_now},
                where=now_left >= 1,
            )
            .returning(rates.c.left)
        )

        def take(connection: Connection) -> float:
            if connection.execute(taking).first():
                return 0.0
            this_one = (rates.c.tenant_id == tenant_id, rates.c.creates == creates)
            left = connection.execute(select(now_left).where(*this_one)).scalar_one()
            return max(1 - float(left), 0.01) * _MINUTE / per_minute

        return await self._database.write(take, durable=False)


class Rates:
    """The buckets of all tenants."""

    def __init__(self, database: Database) -> None:
        self._buckets: _Buckets = _InDatabase(database) if database.is_shared else _InMemory()

    async def check(self, tenant: Tenant, *, creates: bool) -> None:
        """Count one request.

        Raises:
            Throttled: it is one too many.
        """
        limits = tenant.limits
        per_minute = limits.creates_per_minute if creates else limits.requests_per_minute
        if wait := await self._buckets.take(tenant.id, creates, per_minute):
            seconds = math.ceil(wait)
            what = "predictions created" if creates else "requests"
            raise Throttled(
                f"Request was throttled. Your rate limit is {per_minute} {what} per minute; it "
                f"resets in ~{seconds}s.",
                seconds,
            )
