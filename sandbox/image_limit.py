"""How many images a minute each account may make: a bucket that fills evenly.

OpenAI's own sentence suggests one: with a limit of 5, all used, one more image has to wait 12 s.
Input images count as well, as users of small accounts report.
"""

import hashlib
import time

from sandbox import outages
from sandbox.settings import Settings


class ImageLimit:
    """The buckets of all keys; a key is an account."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.images_per_minute
        self._minute = settings.minute_seconds
        self._left: dict[str, tuple[float, float]] = {}  # and when that was

    def count(self, authorization: str, images: int) -> None:
        """Count so many images, input images among them.

        Raises:
            ApiError: they are more than are left, or than a minute ever has.
        """
        if self._most is None:
            return
        if images > self._most:
            raise outages.too_many_for_a_minute(self._most, images)
        account = hashlib.sha256(authorization.encode()).hexdigest()
        now, per_second = time.monotonic(), self._most / self._minute
        left, then = self._left.get(account, (float(self._most), now))
        left = min(left + (now - then) * per_second, float(self._most))
        if left < images:
            used = min(self._most, round(self._most - left))
            raise outages.used_up(self._most, used, images, (images - left) / per_second)
        self._left[account] = left - images, now
