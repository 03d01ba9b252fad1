"""Who runs next where processes share a database: the rows themselves are the queue.

A worker takes the row whose turn it is in one UPDATE, so that there is no second record of what
waits which could differ from the first. Postgres tells all workers of each new row (NOTIFY).
"""

import asyncio

from api.ids import now
from api.predictions.prediction import Prediction, State
from api.predictions.store import Store

_LOOK_EVERY = 10.0  # seconds, should a notice be lost


class SharedQueue:
    """The waiting predictions of all processes."""

    def __init__(self, store: Store, started_tag: float = 0.0) -> None:
        self._store = store
        self.started_tag = started_tag
        self._takers: set[asyncio.Event] = set()

    def put(self, prediction: Prediction) -> None:
        """See Queue; its row is enough."""
        self.look()

    def hear(self, state: str, tag: float) -> None:
        """Some process has brought a prediction into this state."""
        if state == State.QUEUED:
            self.look()
        elif state == State.TAKEN:
            self.started_tag = max(self.started_tag, tag)

    def look(self) -> None:
        """Something may have been missed."""
        for changed in self._takers:
            changed.set()

    async def take(self, owner: str, model: str) -> Prediction:
        """See Queue."""
        changed = asyncio.Event()
        self._takers.add(changed)
        try:
            while True:
                changed.clear()
                if taken := await self._store.take_next(owner, model):
                    return taken
                await self._wait(changed, await self._store.soonest(model))
        finally:
            self._takers.discard(changed)

    async def _wait(self, changed: asyncio.Event, soonest: float | None) -> None:
        wait = _LOOK_EVERY if soonest is None else soonest - now()
        try:
            async with asyncio.timeout(min(max(wait, 0.01), _LOOK_EVERY)):
                await changed.wait()
        except TimeoutError:
            return
