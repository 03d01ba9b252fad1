"""The product's predictor with a probe in its worker: event-loop lag and asyncio tasks."""

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from cog import Path
from cog.input import FieldInfo

import predict

INTERVAL = 0.001  # seconds between two looks at the clock

Run = Callable[..., Awaitable[list[Path]]]


class Lag:
    """The longest time that the event loop did not get round to a task that slept 1 ms."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            slept = time.perf_counter()
            await asyncio.sleep(INTERVAL)
            self.longest = max(self.longest, time.perf_counter() - slept - INTERVAL)


def probed(run: Run) -> Run:
    # Cog resolves the defaults only of the function that it calls itself.
    defaults = {
        name: parameter.default.default
        for name, parameter in inspect.signature(run).parameters.items()
        if isinstance(parameter.default, FieldInfo)
    }

    @functools.wraps(run)  # Cog reads the wrapped function's signature
    async def wrapper(self: "Predictor", **inputs: Any) -> list[Path]:  # noqa: ANN401 - Cog's
        tasks = len(asyncio.all_tasks())
        lag = Lag()
        watching = asyncio.create_task(lag.watch())
        try:
            await asyncio.sleep(0.01)  # so that a lag at the very start is seen as well
            return await run(self, **(defaults | inputs))
        finally:
            await asyncio.sleep(0)
            watching.cancel()
            self.record_metric("loop_lag_ms", lag.longest * 1000)
            self.record_metric("tasks", tasks)
            self.record_metric("threads", threading.active_count())

    return wrapper


class Predictor(predict.Predictor):
    run = probed(predict.Predictor.run)  # type: ignore[assignment] # same inputs, by keyword
