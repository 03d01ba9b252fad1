"""Who waits for a prediction to change, within this process."""

import asyncio
from collections import defaultdict

from api.predictions.prediction import Prediction


class Changes:
    """Wakes those who wait for a prediction, with its row as it is now."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[Prediction]]] = defaultdict(set)

    def tell(self, prediction: Prediction) -> None:
        """The prediction's row has become this."""
        for waiter in self._waiting.pop(prediction.id, ()):
            if not waiter.done():
                waiter.set_result(prediction)

    def awaits(self, prediction_id: str) -> bool:
        """Whether somebody waits for it."""
        return prediction_id in self._waiting

    def awaited(self) -> list[str]:
        """All for which somebody waits."""
        return list(self._waiting)

    def next(self, prediction_id: str) -> asyncio.Future[Prediction]:
        """Done at the next change from now on: ask first, then read the row, then wait."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[prediction_id].add(waiter)
        waiter.add_done_callback(lambda _: self._forget(prediction_id, waiter))
        return waiter

    def _forget(self, prediction_id: str, waiter: asyncio.Future[Prediction]) -> None:
        waiters = self._waiting.get(prediction_id)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiting[prediction_id]
