"""Keeps order among the rows: nothing outlives its deadline for long."""

import asyncio
import logging
from collections.abc import Callable

from api.predictions.outcome import lost
from api.predictions.prediction import End, Prediction, State
from api.predictions.store import Store

log = logging.getLogger(__name__)

_SECONDS = 1.0
_OVERDUE = End(State.CANCELED, error="The deadline passed before it could run; nothing was billed.")
_WORKER_GONE = 90.0  # seconds after the deadline; a worker that lives ends its own after 30


async def keep_order(store: Store, on_change: Callable[[Prediction], None]) -> None:
    """Look every second, until cancelled; a round that fails is made up for by the next.

    Replicate calls a prediction aborted that was never started. Its clients know no such
    status, and poll for ever or fail, so it is canceled here.
    """
    while True:
        try:
            for prediction in await store.overdue():
                if ended := await store.end_waiting(prediction.id, _OVERDUE):
                    on_change(ended)
            for prediction in await store.abandoned(_WORKER_GONE):
                end = lost(prediction, "The deadline passed, and its worker has not come back")
                if ended := await store.end_sent(prediction, end):
                    on_change(ended)
        except Exception:
            log.exception("Could not look for predictions past their deadline; will try again.")
        await asyncio.sleep(_SECONDS)
