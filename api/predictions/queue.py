"""Who runs next: start-time fair queueing over the rows, whose order this process holds in memory.

One process owns the database, so nothing is claimed and nothing can be claimed twice; at a start
the order is found again from the rows. Where several processes share the database, the queue is
that of `shared_queue.py`.
"""

import asyncio
import heapq
import math
from typing import Protocol

from api.ids import now
from api.predictions.prediction import Prediction
from api.predictions.store import Store


class Queue(Protocol):
    """The waiting predictions."""

    started_tag: float
    """The tag of the prediction that was taken last: where the fair order has come to."""

    def put(self, prediction: Prediction) -> None:
        """Let it wait for its turn; once too often is harmless."""

    async def take(self, owner: str) -> Prediction:
        """The one whose turn it is, taken by that worker; waits until there is one."""


class MemoryQueue:
    """The waiting predictions, by tag; those that must wait longer, by time."""

    def __init__(self, store: Store, started_tag: float = 0.0) -> None:
        self._store = store
        self.started_tag = started_tag
        self._ready: list[tuple[float, str]] = []
        self._later: list[tuple[float, float, str]] = []
        self._changed = asyncio.Event()

    def put(self, prediction: Prediction) -> None:
        """See Queue."""
        if prediction.not_before > now():
            item = (prediction.not_before, prediction.tag, prediction.id)
            heapq.heappush(self._later, item)
        else:
            heapq.heappush(self._ready, (prediction.tag, prediction.id))
        self._changed.set()

    async def take(self, owner: str) -> Prediction:
        """See Queue; taking is a conditional UPDATE, since it may have been canceled meanwhile."""
        while True:
            prediction_id = await self._next()
            tag = self.started_tag
            try:
                taken = await self._store.take(prediction_id, owner)
            except Exception:
                heapq.heappush(self._ready, (tag, prediction_id))
                raise
            if taken:
                return taken

    async def _next(self) -> str:
        """The id of whose turn it is; waits until there is one."""
        while True:
            self._changed.clear()
            self._let_in()
            if self._ready:
                self.started_tag, prediction_id = heapq.heappop(self._ready)
                return prediction_id
            wait = self._later[0][0] - now() if self._later else math.inf
            try:
                async with asyncio.timeout(None if wait == math.inf else max(wait, 0.0)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _let_in(self) -> None:
        while self._later and self._later[0][0] <= now():
            _, tag, prediction_id = heapq.heappop(self._later)
            heapq.heappush(self._ready, (tag, prediction_id))
