"""Predictions that start together are sent one after the other, not all of them at the end."""

import asyncio


class Turns:
    """Who starts waits for those before to have gone one round of the event loop further.

    Asyncio gives every task a step in turn. So without this the first of 256 predictions is sent
    when the last one is ready to be, 0.3 s later, and as much later its image is there
    (docs/performance.md).
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Return when it is one's turn, a round of the event loop later if nobody else starts."""
        async with self._turn:
            await asyncio.sleep(0)
