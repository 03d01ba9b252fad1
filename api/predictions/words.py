"""What Cog says of a prediction while it runs and when it ends; a late word changes nothing."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from api.predictions.endings import Endings
from api.predictions.outcome import ENDS
from api.predictions.prediction import Prediction, State
from api.predictions.store import Store

log = logging.getLogger(__name__)

_KEEP_EVERY = 1.0  # seconds between two times that the logs of a running prediction are stored

OnEvent = Callable[[Prediction, str], None]


class Words:
    """Hears Cog's webhooks.

    Logs of running predictions are held in memory: Cog tells them again with its last word.

    Args:
        keeps_logs: whether they are stored too, now and then, for other processes.
    """

    def __init__(
        self, store: Store, endings: Endings, on_event: OnEvent, *, keeps_logs: bool
    ) -> None:
        self._store = store
        self._endings = endings
        self._on_event = on_event
        self._keeps_logs = keeps_logs
        self._logs: dict[str, str] = {}
        self._kept_at: dict[str, float] = {}

    async def hear(self, cog_id: str, word: Mapping[str, Any]) -> None:
        """Take Cog's word on one of its predictions; it is stored when this returns."""
        prediction = await self._store.by_cog_id(cog_id)
        if prediction is None or prediction.state is not State.SENT:
            return
        if word.get("status") in ENDS:
            self._logs.pop(prediction.id, None)
            self._kept_at.pop(prediction.id, None)
            await self._endings.end(prediction, word)
            return
        if prediction.started_at is None:
            await self.began(cog_id)
        logs = word.get("logs")
        if isinstance(logs, str) and logs and logs != self._logs.get(prediction.id):
            self._logs[prediction.id] = logs
            await self._keep(prediction, logs)
            self._on_event(prediction, "logs")

    async def began(self, cog_id: str) -> Prediction | None:
        """Note that Cog has begun; None where that, or its end, is known already."""
        started = await self._store.start(cog_id)
        if started:
            self._on_event(started, "start")
        return started

    def logs_of(self, prediction: Prediction) -> str:
        """The prediction's log lines so far."""
        if prediction.state is State.SENT:
            return self._logs.get(prediction.id, prediction.logs)
        return prediction.logs

    async def _keep(self, prediction: Prediction, logs: str) -> None:
        time = asyncio.get_running_loop().time()
        if self._keeps_logs and time - self._kept_at.get(prediction.id, -math.inf) > _KEEP_EVERY:
            self._kept_at[prediction.id] = time
            await self._store.keep_logs(prediction, logs)
