"""Waiting for a condition, with a bound that only a fault reaches."""

import time
from collections.abc import Callable


def wait_until(reached: Callable[[], bool], within: float = 60) -> None:
    give_up = time.monotonic() + within
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.05)
