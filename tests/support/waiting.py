"""Time in tests: waits with a bound that only a fault reaches, and times that stand for a cost."""

import time
from collections.abc import Callable

HURRY = "15"
"""A predictor's deadline in seconds, for what is repeated until then.

Tries begin within 1, 2.5, 5 and 9.5, and then not before 15.5: it cuts none short.
"""


def wait_until(reached: Callable[[], bool], within: float = 60) -> None:
    give_up = time.monotonic() + within
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def fastest(take: Callable[[], float], enough: float, tries: int = 3) -> float:
    """What `take` gives, in seconds: the first that is below `enough`, or else the least.

    A busy machine makes one try slow, and none fast: what is slow each time is so by itself.
    """
    taken: list[float] = []
    while len(taken) < tries and not (taken and min(taken) < enough):
        taken.append(take())
    return min(taken)
