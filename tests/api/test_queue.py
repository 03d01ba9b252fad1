"""Who runs next."""

import asyncio
import time
from typing import Any

import pytest

from api.predictions.prediction import Prediction, State
from api.predictions.queue import Queue

pytestmark = pytest.mark.anyio


def waiting(id: str, tag: float, not_before: float = 0.0) -> Prediction:
    columns: dict[str, Any] = dict.fromkeys(Prediction.__dataclass_fields__)
    return Prediction(
        **columns | {"id": id, "tag": tag, "not_before": not_before, "state": State.QUEUED}
    )


async def test_the_lowest_tag_is_next_and_is_where_the_order_has_come_to() -> None:
    queue = Queue()
    for id, tag in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        queue.put(waiting(id, tag))

    assert [await queue.next() for _ in range(3)] == ["a", "b", "c"]
    assert queue.started_tag == 3.0


async def test_what_must_wait_comes_when_its_time_has_come() -> None:
    queue = Queue()
    queue.put(waiting("later", 1.0, time.time() + 0.3))
    queue.put(waiting("now", 2.0))

    assert await queue.next() == "now"
    started = time.monotonic()
    assert await queue.next() == "later"
    assert time.monotonic() - started > 0.2


async def test_who_waits_for_the_next_is_woken() -> None:
    queue = Queue()
    next_one = asyncio.ensure_future(queue.next())
    await asyncio.sleep(0.01)
    queue.put(waiting("a", 1.0))

    assert await asyncio.wait_for(next_one, 1) == "a"
