"""Threads for what would block the event loop, each with a connection of its own.

`concurrent.futures` does the same with two futures and several locks for each step, and takes six
times the CPU; there are a dozen steps in a prediction.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

_Given = TypeVar("_Given")


class Threads:
    """So many threads; with one, steps are taken in the order in which they were asked for."""

    def __init__(self, engine: Engine, count: int, name: str) -> None:
        self._engine = engine
        self._steps: SimpleQueue[Step[Any] | None] = SimpleQueue()
        # Daemons: a process that is told to end does not wait for them, as for a power cut.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, do: "Callable[[Connection, Step[_Given]], _Given]") -> _Given:
        """What `do` gives in one of the threads; not begun where nobody waits for it any more."""
        step = Step(do)
        self._steps.put(step)
        return await step.done

    async def close(self) -> None:
        """Return when all that was asked for is done; nothing may be asked for afterwards."""
        for _ in self._threads:
            self._steps.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._engine.dispose()

    def _work(self) -> None:
        kept: Connection | None = None

        def connection() -> Connection:
            nonlocal kept
            kept = kept or self._engine.connect()
            return kept

        while step := self._steps.get():
            step.take(connection)
            if kept and kept.in_transaction():
                kept.rollback()  # what it has left open, as migrating and reading do
        if kept:
            kept.close()


class Step(Generic[_Given]):
    """Something to do."""

    def __init__(self, do: "Callable[[Connection, Step[_Given]], _Given]") -> None:
        self._do = do
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[_Given] = self._loop.create_future()

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.done.cancelled()

    def take(self, connection: Callable[[], Connection]) -> None:
        """Do it, in a thread."""
        if self.is_abandoned:
            return
        try:
            given = self._do(connection(), self)
        except BaseException as fault:  # noqa: BLE001 - it is raised where the step was asked for
            self._loop.call_soon_threadsafe(self._fail, fault)
        else:
            self._loop.call_soon_threadsafe(self._succeed, given)

    def _succeed(self, given: _Given) -> None:
        if not self.done.done():
            self.done.set_result(given)

    def _fail(self, fault: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(fault)
