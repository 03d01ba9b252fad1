"""When a prediction's upstream work has to be over: one moment on one clock, made once."""

import asyncio
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """A moment on `time.monotonic()`'s clock, which asyncio's event loop uses as well."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """Never below 0."""
        return max(0.0, self.at - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self.seconds_left == 0

    def timeout(self) -> asyncio.Timeout:
        """Ends what runs inside it with TimeoutError at this moment."""
        return asyncio.timeout_at(self.at)
