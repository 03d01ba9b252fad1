"""The heart put together: what runs as long as the API does, in each of its processes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from api.database import Database
from api.fetching import Fetcher
from api.files.files import Files
from api.metrics import note_end
from api.predictions.acceptance import Acceptance
from api.predictions.accounts import Allowance
from api.predictions.answers import Answers
from api.predictions.beats import Beats, keep_taking_over
from api.predictions.changes import Changes
from api.predictions.endings import Finish
from api.predictions.keeper import keep_order
from api.predictions.prediction import Prediction, State
from api.predictions.predictions import Predictions
from api.predictions.queue import MemoryQueue, Queue
from api.predictions.repeats import Repeats
from api.predictions.shared_queue import SharedQueue
from api.predictions.store import Store
from api.predictions.words import OnEvent
from api.predictions.work import CogBeside, Surroundings, Work, open_work
from api.predictions.worker import Background
from api.sealing import Keyring
from api.settings import Settings


@dataclass(frozen=True)
class Heart:
    """What others need of it."""

    predictions: Predictions
    store: Store
    beats: Beats
    work: Work | None
    """Absent where this process only takes requests."""
    start: Callable[[], None]

    async def serves(self) -> bool:
        """Whether a prediction that comes now would run."""
        return self.work.serves if self.work else await self.beats.any_lives()


@asynccontextmanager
async def open_heart(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    files: Files,
    fetcher: Fetcher,
    on_event: OnEvent,
    finish: Finish,
    cogs: Sequence[CogBeside],
    worker_url: str,
) -> AsyncIterator[Heart]:
    """The heart, with all that was unfinished on its way again once it is started.

    Args:
        cogs: the Cog servers beside it, if it works.
        worker_url: where they bring their word.
    """
    allowance = Allowance(settings.upstream_images_per_minute, settings.upstream_window_seconds)
    store, changes, beats = Store(database, allowance), Changes(), Beats(database)
    life = secrets.token_hex(16)
    queue = await _queue(database, store)
    background = Background()

    def changed(prediction: Prediction) -> None:
        changes.tell(prediction)
        if prediction.state is State.QUEUED:
            queue.put(prediction)
        elif prediction.has_ended:
            note_end(prediction)
            on_event(prediction, "completed")

    answers = Answers(store)
    acceptance = Acceptance(
        Repeats(database, answers, life),
        keyring,
        life=life,
        default_seconds=settings.deadline_seconds,
        reserved_dollars=settings.reserved_dollars,
    )
    async with AsyncExitStack() as ending:
        names = [life, *(f"the worker {beside.settings.worker}" for beside in cogs)]
        if isinstance(queue, SharedQueue):
            # Only here: one machine needs neither the time nor the memory of Postgres' driver.
            from api.predictions.others import hearing

            await ending.enter_async_context(hearing(settings, names, queue, changes, store))
        work = None
        if cogs:
            around = Surroundings(
                settings,
                store,
                queue,
                changes,
                beats,
                keyring,
                files,
                fetcher,
                finish,
                changed,
                on_event,
            )
            work = await ending.enter_async_context(open_work(around, cogs, worker_url))
        predictions = Predictions(
            database,
            store,
            acceptance,
            answers,
            queue,
            changes,
            work.words.logs_of if work else _stored_logs,
            changed,
        )

        def start() -> None:
            background.start(answers.keep_noting())
            background.start(keep_order(store, changed))
            if database.is_shared:
                background.start(keep_taking_over(beats, store))
            if work:
                work.start()

        try:
            yield Heart(predictions, store, beats, work, start)
        finally:
            await background.stop()
            await asyncio.shield(answers.note())


async def _queue(database: Database, store: Store) -> Queue:
    started_tag = await store.last_started_tag()
    if database.is_shared:
        return SharedQueue(store, started_tag)
    return MemoryQueue(store, started_tag)


def _stored_logs(prediction: Prediction) -> str:
    return prediction.logs
