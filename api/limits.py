"""How many requests a minute each tenant may make: a bucket that fills again evenly."""

import math
import time
from dataclasses import dataclass, field

from api.errors import Throttled
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
        if self.left < 1:
            return (1 - self.left) * _MINUTE / per_minute
        self.left -= 1
        return 0.0


class Rates:
    """The buckets of all tenants."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def check(self, tenant: Tenant, *, creates: bool) -> None:
        """Count one request.

        Raises:
            Throttled: it is one too many.
        """
        limits = tenant.limits
        per_minute = limits.creates_per_minute if creates else limits.requests_per_minute
        bucket = self._buckets.setdefault((tenant.id, creates), _Bucket(float(per_minute)))
        if wait := bucket.take(per_minute):
            seconds = math.ceil(wait)
            what = "predictions created" if creates else "requests"
            raise Throttled(
                f"Request was throttled. Your rate limit is {per_minute} {what} per minute; it "
                f"resets in ~{seconds}s.",
                seconds,
            )
