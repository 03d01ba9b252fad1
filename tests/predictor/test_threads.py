"""A cancelled step waits for its thread, so that nothing writes after the clean-up."""

import asyncio
import concurrent.futures.thread
import threading
import time
from collections.abc import Iterator

import pytest

from gpt_image.errors import WorkerFrozen
from gpt_image.threads import FreezeProbe, in_thread, serve_event_loop


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


@pytest.fixture
def held_lock() -> Iterator[None]:
    """What Cog's cancellation leaves behind: the lock that every submit() takes, held for ever."""
    with concurrent.futures.thread._global_shutdown_lock:
        yield


def test_work_and_lookups_go_on_while_the_lock_of_all_executors_is_held(held_lock: None) -> None:
    async def everything() -> None:
        serve_event_loop()
        loop = asyncio.get_running_loop()
        assert await in_thread(int, "7") == 7
        assert await asyncio.to_thread(int, "8") == 8
        assert await loop.getaddrinfo("localhost", 80)

    asyncio.run(asyncio.wait_for(everything(), 5))


def test_the_probe_sees_the_freeze_and_that_it_is_over() -> None:
    probe = FreezeProbe()

    async def asked_twice() -> None:
        for _ in range(2):
            with pytest.raises(WorkerFrozen, match="restart this container"):
                await probe.check_health()

    with concurrent.futures.thread._global_shutdown_lock:
        before = threading.active_count()
        asyncio.run(asked_twice())
        assert threading.active_count() == before
    asyncio.run(probe.check_health())
