"""What Cog says of a prediction while it runs and when it ends; a late word changes nothing."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from api.predictions.endings import Endings
from api.predictions.outcome import ENDS
from api.predictions.prediction import Prediction, State
from api.predictions.store import Store

log = logging.getLogger(__name__)

OnEvent = Callable[[Prediction, str], None]


class Words:
    """Hears Cog's webhooks.

    Logs of running predictions are held in memory: Cog tells them again with its last word.
    """

    def __init__(self, store: Store, endings: Endings, on_event: OnEvent) -> None:
        self._store = store
        self._endings = endings
        self._on_event = on_event
        self._logs: dict[str, str] = {}

    async def hear(self, cog_id: str, word: Mapping[str, Any]) -> None:
        """Take Cog's word on one of its predictions; it is stored when this returns."""
        prediction = await self._store.by_cog_id(cog_id)
        if prediction is None or prediction.state is not State.SENT:
            return
        if word.get("status") in ENDS:
            self._logs.pop(prediction.id, None)
            await self._endings.end(prediction, word)
            return
        if prediction.started_at is None and (started := await self._store.start(cog_id)):
            self._on_event(started, "start")
        logs = word.get("logs")
        if isinstance(logs, str) and logs and logs != self._logs.get(prediction.id):
            self._logs[prediction.id] = logs
            self._on_event(prediction, "logs")

    def logs_of(self, prediction: Prediction) -> str:
        """The prediction's log lines so far."""
        if prediction.state is State.SENT:
            return self._logs.get(prediction.id, prediction.logs)
        return prediction.logs
