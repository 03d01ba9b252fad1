"""Who converts next: conversions take turns by prediction, and not by image."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """So many conversions run at once; a place that falls free goes to who has had fewest.

    So a prediction with one image waits for no more than the images in work, however many images
    other predictions still have to convert.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    @asynccontextmanager
    async def place(self, turns_had: int) -> AsyncIterator[None]:
        """Hold a place; among those who have had as many turns, who came first goes first."""
        await self._enter(turns_had)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, turns_had: int) -> None:
        if self._free:
            self._free -= 1
            return
        called = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (turns_had, next(self._arrivals), called))
        try:
            await called
        except asyncio.CancelledError:
            if not called.cancelled():  # called and cancelled at the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            _, _, called = heapq.heappop(self._waiting)
            if not called.done():
                called.set_result(None)
                return
        self._free += 1
