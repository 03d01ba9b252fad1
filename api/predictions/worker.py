"""Hands predictions to the Cog server's slots, and finds those of an earlier life again."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from api.ids import now
from api.predictions.attempt import Attempt
from api.predictions.cog import Watch
from api.predictions.prediction import Prediction, State
from api.predictions.queue import Queue
from api.predictions.store import Store

log = logging.getLogger(__name__)

_AFTER_A_FAULT = 1.0  # seconds


class Background:
    """Tasks that outlive what started them; a fault in one is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel all and wait for their ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.error("Work in the background failed.", exc_info=fault)


class Worker:
    """Keeps at most `slots` predictions on the Cog server."""

    def __init__(
        self,
        name: str,
        model: str,
        store: Store,
        queue: Queue,
        attempt: Attempt,
        watch: Watch,
        background: Background,
        slots: int,
    ) -> None:
        self._name = name
        self._model = model
        self._store = store
        self._queue = queue
        self._attempt = attempt
        self._watch = watch
        self._background = background
        self._slots = slots
        self._busy: set[asyncio.Task[None]] = set()
        self._at_work: set[tuple[str, int]] = set()  # id and attempt
        self._strays: set[tuple[str, int]] = set()

    @property
    def busy(self) -> int:
        """How many slots are taken."""
        return len(self._busy)

    async def recover(self) -> None:
        """Go on where an earlier life of this process ended; before anything new is taken."""
        await self._store.requeue_unsent(self._name)
        for prediction in await self._store.sent_by(self._name):
            self._occupy(self._follow(prediction))
        await self.look_for_what_waits()

    async def look_for_what_waits(self) -> None:
        """Queue it anew: one that is queued twice is harmless."""
        for prediction in await self._store.queued():
            self._queue.put(prediction)

    async def keep_working(self) -> None:
        """Give each free slot the prediction whose turn it is, until cancelled."""
        while True:
            while len(self._busy) >= self._slots:
                await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
            await self._watch.serving()
            try:
                taken = await self._queue.take(self._name, self._model)
            except Exception:
                log.exception("Could not take what is next; will try again.")
                await asyncio.sleep(_AFTER_A_FAULT)
                continue
            self._occupy(self._run(taken))

    async def drain(self) -> None:
        """Hand back what is not sent, and wait for the ends of the rest; nothing may be taken."""
        await self._store.requeue_unsent(self._name)
        while self._busy:
            await asyncio.wait(self._busy)

    async def release_strays(self) -> None:
        """Hand back what is ours in the database, and of which nobody here knows any more.

        That comes of a connection lost between an UPDATE and its answer. A stray must be seen
        twice: one that is being taken at this moment is none.
        """
        found = {(each.id, each.attempt): each for each in await self._store.taken_by(self._name)}
        strays = found.keys() - self._at_work
        for stray in strays & self._strays:
            await self._store.release(found[stray])
            self._queue.put(found[stray])
        self._strays = strays

    def _occupy(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._background.start(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _run(self, taken: Prediction) -> None:
        this_one = (taken.id, taken.attempt)
        self._at_work.add(this_one)
        try:
            await self._attempt.run(taken)
        except Exception:
            log.exception("An attempt was interrupted.", extra={"prediction": taken.id})
            await self._go_on(taken)
        finally:
            self._at_work.discard(this_one)

    async def _follow(self, prediction: Prediction) -> None:
        try:
            await self._attempt.follow(prediction, ask_at=now())
        except Exception:
            log.exception(
                "Waiting for the end of a prediction was interrupted.",
                extra={"prediction": prediction.id},
            )
            await self._go_on(prediction)

    async def _go_on(self, interrupted: Prediction) -> None:
        """After a fault of ours or of the database: again, by what the row says."""
        while True:
            await asyncio.sleep(_AFTER_A_FAULT)
            try:
                present = await self._store.get(interrupted.id)
                if present is None or present.has_ended or _is_another(present, interrupted):
                    return
                if present.state is State.SENT:
                    await self._attempt.follow(present, ask_at=now())
                    return
                if present.state is State.TAKEN:
                    await self._store.release(present)
                self._queue.put(present)
                return
            except Exception:
                log.exception("Still interrupted.", extra={"prediction": interrupted.id})


def _is_another(present: Prediction, interrupted: Prediction) -> bool:
    """Whether somebody else has taken it meanwhile."""
    return (present.owner, present.attempt) != (interrupted.owner, interrupted.attempt)
