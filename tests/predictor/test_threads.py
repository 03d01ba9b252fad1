"""A cancelled step waits for its thread, so that nothing writes after the clean-up."""

import asyncio
import time

import pytest

from gpt_image.threads import in_thread


@pytest.mark.parametrize("fails", [False, True])
def test_a_cancellation_waits_for_the_thread(fails: bool) -> None:
    ended: list[str] = []

    def work() -> None:
        time.sleep(0.2)
        ended.append("thread")
        if fails:
            raise ValueError

    async def cancelled() -> None:
        task = asyncio.create_task(in_thread(work))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended.append("cancellation")

    asyncio.run(cancelled())
    assert ended == ["thread", "cancellation"]


def test_an_exception_of_the_work_comes_out() -> None:
    def work() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        asyncio.run(in_thread(work))
