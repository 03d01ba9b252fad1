"""Whether callers got the first answer to what they asked for, so that a re-sent request is known.

Most answers are noted a moment after they were written and several at a time, so that no caller
waits for it. What a crash leaves unnoted counts as lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from api.predictions.store import Store

log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.05

WAITING, WRITTEN, LOST = "waiting", "written", "lost"
"""What may become of an answer, as its prediction's row holds it."""


class Answers:
    """The answers that are on their way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._probes: dict[str, Callable[[], Awaitable[bool]]] = {}
        self._outcomes: dict[str, str] = {}
        self._due = asyncio.Event()

    def expect(self, prediction_id: str, hung_up: Callable[[], Awaitable[bool]]) -> None:
        """A caller waits for its first answer; `hung_up` tells whether it has gone."""
        self._outcomes.pop(prediction_id, None)
        self._probes[prediction_id] = hung_up

    def of(self, prediction_id: str) -> str | None:
        """What has become of it so far; None where only the row can tell. From any thread."""
        return WAITING if prediction_id in self._probes else self._outcomes.get(prediction_id)

    async def was_lost(self, prediction_id: str) -> bool | None:
        """Whether its caller has gone before the answer; None where only the row can tell."""
        if probe := self._probes.get(prediction_id):
            return await probe()
        if outcome := self._outcomes.get(prediction_id):
            return outcome == LOST
        return None

    def forget(self, prediction_id: str) -> None:
        """Nobody waits for it after all."""
        self._probes.pop(prediction_id, None)

    def end(self, prediction_id: str, *, written: bool) -> None:
        """The answer was written, or its caller had gone."""
        self._probes.pop(prediction_id, None)
        self._outcomes[prediction_id] = WRITTEN if written else LOST
        self._due.set()

    async def keep_noting(self) -> None:
        """Note the outcomes, until cancelled; what could not be noted is tried again."""
        while True:
            await self._due.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._due.clear()
            await self.note()

    async def note(self) -> None:
        """Note what has ended since the last time."""
        outcomes = dict(self._outcomes)
        if not outcomes:
            return
        try:
            await self._store.note_answers(outcomes)
        except Exception:
            log.exception("Could not note that answers were written.")
            self._due.set()
            return
        for prediction_id, outcome in outcomes.items():
            # One that was asked for again meanwhile has another outcome to note.
            if self._outcomes.get(prediction_id) == outcome:
                del self._outcomes[prediction_id]
