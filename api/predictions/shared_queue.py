"""Who runs next where processes share a database: the rows themselves are the queue.

A worker takes the row whose turn it is in one UPDATE, so that there is no second record of what
waits which could differ from the first. Postgres tells all workers of each new row (NOTIFY).
"""

import asyncio
from collections.abc import Sequence

from api.ids import now
from api.predictions.prediction import Prediction, State
from api.predictions.store import Store

_LOOK_EVERY = 10.0  # seconds, should a notice be lost


class SharedQueue:
    """The waiting predictions of these models."""

    def __init__(self, store: Store, models: Sequence[str], started_tag: float) -> None:
        self._store = store
        self._models = models
        self.started_tag = started_tag
        self._changed = asyncio.Event()

    def put(self, prediction: Prediction) -> None:
        """See Queue; its row is enough."""
        self._changed.set()

    def hear(self, state: str, tag: float) -> None:
        """Some process has brought a prediction into this state."""
        if state == State.QUEUED:
            self._changed.set()
        elif state == State.TAKEN:
            self.started_tag = max(self.started_tag, tag)

    def look(self) -> None:
        """Something may have been missed."""
        self._changed.set()

    async def take(self, owner: str) -> Prediction:
        """See Queue."""
        while True:
            self._changed.clear()
            if taken := await self._store.take_next(owner, self._models):
                return taken
            soonest = await self._store.soonest(self._models)
            wait = _LOOK_EVERY if soonest is None else soonest - now()
            try:
                async with asyncio.timeout(min(max(wait, 0.01), _LOOK_EVERY)):
                    await self._changed.wait()
            except TimeoutError:
                continue
