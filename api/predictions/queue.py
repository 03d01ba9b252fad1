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
from api.predictions.accounts import HeldBack
from api.predictions.prediction import Prediction
from api.predictions.store import Store


class Queue(Protocol):
    """The waiting predictions."""

    started_tag: float
    """The tag of the prediction that was taken last: where the fair order has come to."""

    def put(self, prediction: Prediction) -> None:
        """Let it wait for its turn; once too often is harmless."""

    async def take(self, owner: str, model: str) -> Prediction:
        """The model's one whose turn it is, taken by that worker; waits until there is one."""


_Line = tuple[str, str]
"""Who waits behind whom: those of one model and one account at the upstream."""
_Place = tuple[float, str]
"""Tag and id."""


class MemoryQueue:
    """The waiting predictions, by tag in each line; those that must wait longer, by time."""

    def __init__(self, store: Store, started_tag: float = 0.0) -> None:
        self._store = store
        self.started_tag = started_tag
        self._lines: dict[_Line, list[_Place]] = {}
        self._later: list[tuple[float, _Place, _Line]] = []
        self._held: dict[str, float] = {}
        """Accounts that must wait, and until when."""
        self._changed = asyncio.Event()

    def put(self, prediction: Prediction) -> None:
        """See Queue."""
        line, place = (prediction.model, prediction.account), (prediction.tag, prediction.id)
        if prediction.not_before > now():
            heapq.heappush(self._later, (prediction.not_before, place, line))
        else:
            self._stand(line, place)
        self._changed.set()

    async def take(self, owner: str, model: str) -> Prediction:
        """See Queue; taking is a conditional UPDATE, since it may have been canceled meanwhile."""
        while True:
            line, place = await self._next(model)
            tag, prediction_id = place
            try:
                taken = await self._store.take(prediction_id, owner)
            except HeldBack as held:
                self._stand(line, place)
                self._held[held.account] = held.until
                continue
            except Exception:
                self._stand(line, place)
                raise
            if taken:
                self.started_tag = max(self.started_tag, tag)
                return taken

    async def _next(self, model: str) -> tuple[_Line, _Place]:
        """Whose turn it is; waits until there is one."""
        while True:
            self._changed.clear()
            self._let_in()
            ready = [each for each in self._lines if each[0] == model and each[1] not in self._held]
            if ready:
                line = min(ready, key=lambda each: self._lines[each][0])
                return line, self._leave(line)
            later = self._later[0][0] if self._later else math.inf
            wait = min(later, *self._held.values(), math.inf) - now()
            try:
                async with asyncio.timeout(None if wait == math.inf else max(wait, 0.0)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _stand(self, line: _Line, place: _Place) -> None:
        heapq.heappush(self._lines.setdefault(line, []), place)

    def _leave(self, line: _Line) -> _Place:
        place = heapq.heappop(self._lines[line])
        if not self._lines[line]:
            del self._lines[line]
        return place

    def _let_in(self) -> None:
        time = now()
        while self._later and self._later[0][0] <= time:
            _, place, line = heapq.heappop(self._later)
            self._stand(line, place)
        self._held = {account: until for account, until in self._held.items() if until > time}
