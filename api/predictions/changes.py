"""Who waits for a prediction to change, within this process."""

import asyncio
from collections import defaultdict


class Changes:
    """Wakes those who wait for a prediction; the row says what has changed."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def tell(self, prediction_id: str) -> None:
        """The prediction's row has changed."""
        for waiter in self._waiting.pop(prediction_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def next(self, prediction_id: str) -> asyncio.Future[None]:
        """Done at the next change from now on: ask first, then read the row, then wait."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[prediction_id].add(waiter)
        waiter.add_done_callback(lambda _: self._forget(prediction_id, waiter))
        return waiter

    def _forget(self, prediction_id: str, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiting.get(prediction_id)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiting[prediction_id]
