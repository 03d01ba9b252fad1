"""One prediction on one Cog server, from when it was taken to its end.

The row decides at every step: a step that finds it changed stops.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from api.fetching import FetchFailed, FetchRefused
from api.ids import now
from api.metrics import FETCHES_REFUSED
from api.predictions.attempt_inputs import AttemptInputs
from api.predictions.changes import Changes
from api.predictions.cog import Cog, Outcome, Watch
from api.predictions.endings import Endings, OnChange
from api.predictions.prediction import End, Prediction, State
from api.predictions.store import Store
from api.predictions.words import Words
from api.sealing import NotOpened

log = logging.getLogger(__name__)

_ASK_AGAIN = (0.02, 0.5)  # seconds after a 409, doubling from the first to the second
_CANCEL_AGAIN = 0.2  # seconds; Cog loses a cancel that comes too early
_LOOK_EVERY = 3.0  # seconds between looks whether its Cog server is still there
_ASK_EVERY = 15.0  # seconds between asking it whether it still works on it
_CLOSED_FOR = 3.0  # seconds; a port that has been closed so long has lost its server
_GRACE = 30.0  # seconds after the deadline for a cancelled prediction to end


class Attempt:
    """Brings one prediction to its end on the Cog server that `watch` watches.

    Args:
        in_background: runs what is left to do once a slot is free.
        worker_url: where Cog brings its word.
        word_seconds: so long Cog may still repeat a word after it has finished.
        lost_seconds: so long the files of a lost Cog server may still come.
    """

    def __init__(
        self,
        store: Store,
        cog: Cog,
        watch: Watch,
        inputs: AttemptInputs,
        words: Words,
        endings: Endings,
        changes: Changes,
        on_change: OnChange,
        in_background: Callable[[Coroutine[Any, Any, None]], object],
        *,
        worker_url: str,
        word_seconds: float,
        lost_seconds: float,
    ) -> None:
        self._store = store
        self._cog = cog
        self._watch = watch
        self._inputs = inputs
        self._words = words
        self._endings = endings
        self._changes = changes
        self._on_change = on_change
        self._in_background = in_background
        self._worker_url = worker_url
        self._word_seconds = word_seconds
        self._lost_seconds = lost_seconds

    async def run(self, taken: Prediction) -> None:
        """Send what was taken at most once, and return when its slot is free again."""
        try:
            input = await self._prepared(taken)
            outcome = None if input is None else await self._send(taken, input)
            if outcome:
                began = outcome is Outcome.STARTED
                await self.follow(taken, ask_at=now() + _ASK_EVERY, began=began)
        finally:
            await self._inputs.forget(taken)

    async def follow(self, sent: Prediction, *, ask_at: float, began: bool = False) -> None:
        """Wait until it has ended, however that comes, or its Cog server is lost.

        Args:
            ask_at: when to ask Cog for the first time whether it works on it.
            began: whether Cog has just said that it does.
        """
        silent_since: float | None = None
        changed = self._changes.next(sent.id)
        present = await self._words.began(str(sent.cog_id)) if began else None
        present = present or await self._store.get(sent.id)
        while present is not None and _is_that_attempt(present, sent):
            present = await self._cancel_if_due(present)
            if now() > present.deadline + _GRACE:
                await self._endings.end_lost(present, "The deadline passed", now_or_never=True)
                return
            if reason := self._lost(present, silent_since):
                self._in_background(self._wait_for_files(present, reason))
                return
            if now() >= ask_at:
                ask_at = now() + _ASK_EVERY
                silent_since = await self._silent_since(present, silent_since)
            told = await _changed_until(changed, self._next_look(present))
            changed = self._changes.next(sent.id)
            present = told or await self._store.get(sent.id)
        changed.cancel()

    async def _prepared(self, taken: Prediction) -> dict[str, Any] | None:
        try:
            return await self._inputs.prepare(taken)
        except FetchFailed as failure:
            if isinstance(failure, FetchRefused):
                FETCHES_REFUSED.inc()
            error = str(failure)
        except NotOpened:
            error = "The key that protects this prediction's secrets is gone; send it again."
        await self._end_unsent(taken, End(State.FAILED, error=error))
        return None

    async def _send(self, taken: Prediction, input: dict[str, Any]) -> Outcome | None:
        """STARTED or UNKNOWN; None where Cog has not started it, and never will."""
        wait = _ASK_AGAIN[0]
        while True:
            identity = await self._watch.serving()
            if not await self._store.note_sent(taken, identity):
                return None
            outcome = await self._cog.start(str(taken.cog_id), self._request(taken, input))
            if outcome in {Outcome.STARTED, Outcome.UNKNOWN}:
                return outcome
            present = await self._store.take_back_note(taken)
            if present is None:
                return None
            if outcome is Outcome.REFUSED:
                error = "The model's server refused the input; nothing was started or billed."
                await self._end_unsent(taken, End(State.FAILED, error=error))
                return None
            if present.cancel_at is not None:
                await self._end_unsent(taken, End(State.CANCELED))
                return None
            await asyncio.sleep(wait)
            wait = min(2 * wait, _ASK_AGAIN[1])

    def _request(self, taken: Prediction, input: dict[str, Any]) -> dict[str, Any]:
        return {
            "input": input,
            "context": {"prediction_id": taken.id},
            "webhook": f"{self._worker_url}/words/{taken.cog_id}",
            # That it begins is told by the answer, without a connection more.
            "webhook_events_filter": ["logs", "completed"],
        }

    async def _end_unsent(self, taken: Prediction, end: End) -> None:
        ended = await self._store.end_waiting(taken.id, end)
        if ended:
            self._on_change(ended)

    async def _cancel_if_due(self, present: Prediction) -> Prediction:
        if present.cancel_at is None and now() >= present.deadline:
            present = await self._store.ask_to_cancel(present.id) or present
        if present.cancel_at is not None:
            await self._cog.cancel(str(present.cog_id))
        return present

    def _next_look(self, present: Prediction) -> float:
        wait = _LOOK_EVERY if present.cancel_at is None else _CANCEL_AGAIN
        return min(now() + wait, max(present.deadline, now() + _CANCEL_AGAIN))

    def _lost(self, present: Prediction, silent_since: float | None) -> str | None:
        """Why no more will be heard of it, if so."""
        another = self._watch.is_another_than(present.cog_identity)
        if another or self._watch.is_gone_for(_CLOSED_FOR):
            return "The model's server stopped before it had answered"
        if silent_since is not None and now() - silent_since > self._word_seconds:
            return "The model's server has finished without an answer"
        return None

    async def _silent_since(self, present: Prediction, before: float | None) -> float | None:
        """Since when Cog has been found not to work on it any more."""
        running = await self._cog.is_running(str(present.cog_id))
        return (before or now()) if running is False else None

    async def _wait_for_files(self, sent: Prediction, reason: str) -> None:
        # Cog's worker process may outlive its server, and finish what is paid for.
        give_up = min(now() + self._lost_seconds, sent.deadline)
        ended = False
        while not ended:
            changed = self._changes.next(sent.id)
            try:
                ended = await self._endings.end_lost(sent, reason, now_or_never=now() >= give_up)
            except Exception:
                log.exception(
                    "What Cog left behind could not be stored; will try again.",
                    extra={"prediction": sent.id},
                )
            await _changed_until(changed, now() if ended else now() + 1.0)


def _is_that_attempt(present: Prediction, sent: Prediction) -> bool:
    return present.state is State.SENT and present.attempt == sent.attempt


async def _changed_until(changed: asyncio.Future[Prediction], time: float) -> Prediction | None:
    """The row, if it changes before then."""
    await asyncio.wait([changed], timeout=max(time - now(), 0.0))
    if changed.done():
        return changed.result()
    changed.cancel()
    return None
