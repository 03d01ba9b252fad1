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
        store: Store,
        queue: Queue,
        attempt: Attempt,
        watch: Watch,
        background: Background,
        slots: int,
    ) -> None:
        self._name = name
        self._store = store
        self._queue = queue
        self._attempt = attempt
        self._watch = watch
        self._background = background
        self._slots = slots
        self._busy: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many slots are taken."""
        return len(self._busy)

    async def recover(self) -> None:
        """Go on where an earlier life of this process ended; before anything new is taken."""
        await self._store.requeue_unsent(self._name)
        for prediction in await self._store.unfinished():
            if prediction.state is State.SENT:
                self._occupy(self._follow(prediction))
            else:
                self._queue.put(prediction)

    async def keep_working(self) -> None:
        """Give each free slot the prediction whose turn it is, until cancelled."""
        while True:
            while len(self._busy) >= self._slots:
                await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
            await self._watch.serving()
            self._occupy(self._run(await self._queue.next()))

    def _occupy(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._background.start(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _run(self, prediction_id: str) -> None:
        try:
            await self._attempt.run(prediction_id)
        except Exception:
            log.exception("An attempt was interrupted.", extra={"prediction": prediction_id})
            await self._go_on(prediction_id)

    async def _follow(self, prediction: Prediction) -> None:
        try:
            await self._attempt.follow(prediction, ask_at=now())
        except Exception:
            log.exception("Following was interrupted.", extra={"prediction": prediction.id})
            await self._go_on(prediction.id)

    async def _go_on(self, prediction_id: str) -> None:
        """After a fault of ours or of the database: again, by what the row says."""
        while True:
            await asyncio.sleep(_AFTER_A_FAULT)
            try:
                present = await self._store.get(prediction_id)
                if present is None or present.has_ended:
                    return
                if present.state is State.SENT:
                    await self._attempt.follow(present, ask_at=now())
                    return
                if present.state is State.TAKEN:
                    await self._store.release(present)
                self._queue.put(present)
                return
            except Exception:
                log.exception("Still interrupted.", extra={"prediction": prediction_id})
