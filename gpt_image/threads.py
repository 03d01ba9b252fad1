"""Blocking work off the event loop, in threads that Cog's cancellations cannot freeze.

When a caller hangs up while Cog reads an input file, Cog raises its cancellation in whichever
thread has the id of the one that read. A thread that is just being born may die of it with the
one lock in its hands that every `ThreadPoolExecutor.submit` takes (measured on Cog 0.23.1, after
4 to 156 hang-ups). From then on `asyncio.to_thread`, aiohttp's and the standard resolver would
block the event loop for ever, with paid predictions on it. So the threads here are all born
before the first prediction, and taking up work takes no lock of that module.
"""

import asyncio
import contextvars
import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from gpt_image.errors import WorkerFrozen

P = ParamSpec("P")
T = TypeVar("T")

# Each prediction holds one at most, for milliseconds; a lookup in a slow DNS holds one for seconds.
# More cost memory: with 32 the worker peaked 18 MB higher, since malloc keeps an arena for each.
_COUNT = 12

_FROZEN_AFTER = 1.0  # seconds; taking up work takes microseconds


class _BornThreads(ThreadPoolExecutor):
    """Asyncio accepts no other class as its default executor; only the interface is its own."""

    def __init__(self, count: int) -> None:
        super().__init__(count)  # starts no thread
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._serve, name=f"born-{number}", daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._work.put(functools.partial(_fulfil, future, functools.partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: the threads serve every event loop of the process and end with it."""

    def _serve(self) -> None:
        while True:
            self._work.get()()


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it belongs to the one who waits
        future.set_exception(error)


_threads = _BornThreads(_COUNT)


def serve_event_loop() -> None:
    """Let the running event loop use these threads for whatever libraries give to a thread."""
    asyncio.get_running_loop().set_default_executor(_threads)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`asyncio.to_thread`, but a cancellation waits until `work` has ended.

    A thread cannot be stopped. Without the wait it would go on writing into a directory that
    the cancelled prediction is removing. The context goes along because Cog finds by it whose
    log lines are written.
    """
    context = contextvars.copy_context()
    bound = functools.partial(context.run, work, *args, **kwargs)
    running = asyncio.get_running_loop().run_in_executor(_threads, bound)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at, so that asyncio does not complain about a lost one
        raise


class FreezeProbe:
    """Whether Cog can still start a thread, as it does for each input file."""

    def __init__(self) -> None:
        self._pending: Future[None] | None = None

    async def check_health(self) -> None:
        """Start one ourselves. If that hangs, one thread of ours is lost, however often asked.

        Raises:
            WorkerFrozen: predictions with input images hang; the others go on.
        """
        if self._pending is None or self._pending.done():
            self._pending = _threads.submit(_start_a_thread)
        done, _ = await asyncio.wait([asyncio.wrap_future(self._pending)], timeout=_FROZEN_AFTER)
        if not done:
            raise WorkerFrozen(
                "Cog can read no more input images since a caller hung up (a fault of Cog 0.23); "
                "restart this container once its running predictions have ended."
            )


def _start_a_thread() -> None:
    executor = ThreadPoolExecutor(1)
    executor.submit(int)
    executor.shutdown(wait=False)
