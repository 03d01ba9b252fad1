"""Workers put together: what stands beside Cog servers, from taking predictions to their ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from api.cog_settings import CogSettings
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


@dataclass(frozen=True)
class CogBeside:
    """A Cog server on this host, and how it is reached."""

    settings: CogSettings
    cog: Cog


class _OneCog:
    """A worker that is alive, beside its Cog server."""

    def __init__(
        self,
        settings: CogSettings,
        beats: Beats,
        worker: Worker,
        watch: Watch,
        server: CogServer,
        background: Background,
    ) -> None:
        self._name = settings.worker
        self._beats = beats
        self._slots = settings.slots
        self._worker = worker
        self._server = server if settings.command else None
        self._background = background
        self._taking: asyncio.Task[None] | None = None
        self.model = settings.model
        self.watch = watch

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


class Work:
    """All workers of this process."""

    def __init__(self, each: Sequence[_OneCog], words: Words, callbacks: Starlette) -> None:
        self._each = each
        self.words = words
        self.callbacks = callbacks
        """To be served at the workers' address from before `start` is called."""

    @property
    def serves(self) -> bool:
        """Whether a prediction of whichever model would run now."""
        served = {each.model for each in self._each if each.watch.serves}
        return served == {each.model for each in self._each}

    def start(self) -> None:
        """Take what waits."""
        for each in self._each:
            each.start()

    async def drain(self) -> None:
        """Take nothing more, hand back what is not sent, and wait for the ends of the rest."""
        await asyncio.gather(*(each.drain() for each in self._each))


@asynccontextmanager
async def open_work(
    around: Surroundings, cogs: Sequence[CogBeside], worker_url: str
) -> AsyncIterator[Work]:
    """Workers whose Cog servers bring their word to `worker_url`."""
    endings = Endings(
        around.store,
        around.files,
        worker_url=worker_url,
        output_directories={
            beside.settings.worker: beside.settings.output_directory for beside in cogs
        },
        finish=around.finish,
        on_change=around.on_change,
    )
    words = Words(around.store, endings, around.on_event, keeps_logs=around.settings.is_shared)
    scratch = around.settings.data_directory / "scratch"
    inputs = AttemptInputs(around.keyring, around.fetcher, scratch, worker_url)
    callbacks = create_callbacks(around.store, around.files, inputs, words, worker_url)
    async with AsyncExitStack() as ending:
        each = []
        for beside in cogs:
            one = _beside(beside, around, inputs, words, endings, worker_url)
            ending.push_async_callback(one.stop)
            await one.recover()
            each.append(one)
        yield Work(each, words, callbacks)


def _beside(
    beside: CogBeside,
    around: Surroundings,
    inputs: AttemptInputs,
    words: Words,
    endings: Endings,
    worker_url: str,
) -> _OneCog:
    settings, cog, store = beside.settings, beside.cog, around.store
    background, watch = Background(), Watch(cog)
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
        word_seconds=around.settings.cog_word_seconds,
        lost_seconds=around.settings.cog_lost_seconds,
    )
    worker = Worker(
        settings.worker,
        settings.model,
        store,
        around.queue,
        attempt,
        watch,
        background,
        settings.slots,
    )

    async def is_idle() -> bool:
        return not await store.any_may_end_by_itself(settings.worker)

    server = CogServer(settings, worker_url, cog, watch, is_idle)
    return _OneCog(settings, around.beats, worker, watch, server, background)
