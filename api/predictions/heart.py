"""The heart put together: what runs as long as the API does."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from api.database import Database
from api.fetching import Fetcher
from api.files.files import Files
from api.metrics import note_end
from api.predictions.acceptance import Acceptance
from api.predictions.answers import Answers
from api.predictions.attempt import Attempt
from api.predictions.attempt_inputs import AttemptInputs
from api.predictions.callbacks import create_callbacks
from api.predictions.changes import Changes
from api.predictions.cog import Cog, Watch
from api.predictions.cog_server import CogServer
from api.predictions.endings import Endings, Finish
from api.predictions.keeper import keep_order
from api.predictions.prediction import Prediction, State
from api.predictions.predictions import Predictions
from api.predictions.queue import Queue
from api.predictions.store import Store
from api.predictions.words import Words
from api.predictions.worker import Background, Worker
from api.sealing import Keyring
from api.settings import Settings


@dataclass(frozen=True)
class Heart:
    """What others need of it."""

    predictions: Predictions
    store: Store
    queue: Queue
    worker: Worker
    watch: Watch
    callbacks: Starlette
    """To be served at `worker_url` from before `start` is called."""
    start: Callable[[], None]


OnEvent = Callable[[Prediction, str], None]


@asynccontextmanager
async def open_heart(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    files: Files,
    fetcher: Fetcher,
    cog: Cog,
    on_event: OnEvent,
    finish: Finish,
    worker_url: str,
) -> AsyncIterator[Heart]:
    """The heart, with all that was unfinished on its way again once it is started."""
    store, changes = Store(database), Changes()
    queue = Queue(await store.last_started_tag())
    background, watch = Background(), Watch(cog)

    def changed(prediction: Prediction) -> None:
        changes.tell(prediction)
        if prediction.state is State.QUEUED:
            queue.put(prediction)
        elif prediction.has_ended:
            note_end(prediction)
            on_event(prediction, "completed")

    endings = Endings(
        store,
        files,
        worker_url=worker_url,
        output_directory=settings.cog_output_directory,
        finish=finish,
        on_change=changed,
    )
    words = Words(store, endings, on_event)
    scratch = settings.data_directory / "scratch"
    inputs = AttemptInputs(keyring, fetcher, scratch, worker_url)
    attempt = Attempt(
        settings.worker_name,
        store,
        cog,
        watch,
        inputs,
        endings,
        changes,
        changed,
        background.start,
        worker_url=worker_url,
        word_seconds=settings.cog_word_seconds,
        lost_seconds=settings.cog_lost_seconds,
    )
    worker = Worker(
        settings.worker_name, store, queue, attempt, watch, background, settings.cog_slots
    )
    answers = Answers(store)
    acceptance = Acceptance(
        database,
        keyring,
        life=secrets.token_hex(16),
        default_seconds=settings.deadline_seconds,
        reserved_dollars=settings.reserved_dollars,
        answer_was_lost=answers.was_lost,
    )
    predictions = Predictions(database, store, acceptance, answers, queue, changes, words, changed)
    await watch.look()
    await worker.recover()

    async def is_idle() -> bool:
        return not await store.any_may_end_by_itself()

    server = CogServer(settings, worker_url, cog, watch, is_idle)

    def start() -> None:
        if settings.cog_command:
            background.start(server.keep_up())
        for loop in (watch.keep_watching, worker.keep_working, answers.keep_noting):
            background.start(loop())
        background.start(keep_order(store, changed))

    callbacks = create_callbacks(store, files, inputs, words, worker_url)
    try:
        yield Heart(predictions, store, queue, worker, watch, callbacks, start)
    finally:
        await background.stop()
        if settings.cog_command:
            await server.stop()
        await asyncio.shield(answers.note())
