"""Blocking work off the event loop."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`asyncio.to_thread`, but a cancellation waits until `work` has ended.

    A thread cannot be stopped. Without the wait it would go on writing into a directory that
    the cancelled prediction is removing. The context goes along because Cog finds by it whose
    log lines are written.
    """
    context = contextvars.copy_context()
    bound = functools.partial(context.run, work, *args, **kwargs)
    running = asyncio.get_running_loop().run_in_executor(None, bound)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at, so that asyncio does not complain about a lost one
        raise
