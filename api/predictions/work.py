"""A worker put together: what stands beside a Cog server, from taking predictions to their ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from api.fetching import Fetcher
from api.files.files import Files
from api.predictions.attempt import Attempt
from api.predictions.attempt_inputs import AttemptInputs
from api.predictions.beats import Asked, Beats, keep_beating
from api.predictions.callbacks import create_callbacks
from api.predictions.changes import Changes
from api.predictions.cog import Cog, Watch
from api.predictions.cog_server import CogServer
from api.predictions.endings import Endings, Finish
from api.predictions.prediction import Prediction
from api.predictions.queue import Queue
from api.predictions.store import Store
from api.predictions.words import OnEvent, Words
from api.predictions.worker import Background, Worker
from api.sealing import Keyring
from api.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What a worker shares with the rest of its process."""

    settings: Settings
    store: Store
    queue: Queue
    changes: Changes
    beats: Beats
    keyring: Keyring
    files: Files
    fetcher: Fetcher
    finish: Finish
    on_change: Callable[[Prediction], None]
    on_event: OnEvent


class Work:
    """A worker that is alive."""

    def __init__(
        self,
        around: Surroundings,
        worker: Worker,
        watch: Watch,
        server: CogServer,
        words: Words,
        background: Background,
        callbacks: Starlette,
    ) -> None:
        self._name = around.settings.worker
        self._beats = around.beats
        self._slots = around.settings.cog_slots
        self._worker = worker
        self._server = server if around.settings.cog_command else None
        self._background = background
        self._taking: asyncio.Task[None] | None = None
        self.watch = watch
        self.words = words
        self.callbacks = callbacks
        """To be served at the worker's address from before `start` is called."""

    async def recover(self) -> None:
        """Go on where an earlier life ended."""
        await self.watch.look()
        await self._beats.begin(self._name, self._slots)
        await self._worker.recover()

    def start(self) -> None:
        """Take what waits."""
        if self._server:
            self._background.start(self._server.keep_up())
        self._background.start(self.watch.keep_watching())
        self._taking = self._background.start(self._worker.keep_working())
        beating = keep_beating(self._beats, self._name, lambda: self._worker.busy, self._do)
        self._background.start(beating)

    async def drain(self) -> None:
        """Take nothing more, hand back what is not sent, and wait for the ends of the rest."""
        if self._taking and not self._taking.done():
            log.info("Draining: %d predictions are on their way.", self._worker.busy)
            self._taking.cancel()
            await asyncio.wait([self._taking])
        await self._worker.drain()

    async def stop(self) -> None:
        """End what runs here; what is with Cog stays there."""
        await self._background.stop()
        if self._server:
            await self._server.stop()
        await self._beats.end(self._name)

    async def _do(self, asked: Asked) -> None:
        await self._worker.release_strays()
        if asked.looks:
            await self._worker.look_for_what_waits()
        if asked.drains and self._taking and not self._taking.done():
            self._background.start(self.drain())


@asynccontextmanager
async def open_work(around: Surroundings, cog: Cog, worker_url: str) -> AsyncIterator[Work]:
    """A worker whose Cog server brings its word to `worker_url`."""
    settings, store = around.settings, around.store
    background, watch = Background(), Watch(cog)
    endings = Endings(
        store,
        around.files,
        worker_url=worker_url,
        output_directory=settings.cog_output_directory,
        finish=around.finish,
        on_change=around.on_change,
    )
    words = Words(store, endings, around.on_event, keeps_logs=settings.is_shared)
    scratch = settings.data_directory / "scratch"
    inputs = AttemptInputs(around.keyring, around.fetcher, scratch, worker_url)
    attempt = Attempt(
        store,
        cog,
        watch,
        inputs,
        words,
        endings,
        around.changes,
        around.on_change,
        background.start,
        worker_url=worker_url,
        word_seconds=settings.cog_word_seconds,
        lost_seconds=settings.cog_lost_seconds,
    )
    worker = Worker(
        settings.worker, store, around.queue, attempt, watch, background, settings.cog_slots
    )

    async def is_idle() -> bool:
        return not await store.any_may_end_by_itself(settings.worker)

    server = CogServer(settings, worker_url, cog, watch, is_idle)
    callbacks = create_callbacks(store, around.files, inputs, words, worker_url)
    work = Work(around, worker, watch, server, words, background, callbacks)
    await work.recover()
    try:
        yield work
    finally:
        await work.stop()
