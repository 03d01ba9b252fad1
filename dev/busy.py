"""Cog's 409: no slot was free, or none seemed so. Such a request was never started."""

import time
from collections.abc import Callable

import requests

BUSY = 409
PAUSE = 0.05  # seconds


def until_taken(
    send: Callable[[], requests.Response], give_up_after: float = 120.0
) -> requests.Response:
    """What `send` gets, repeated while that is 409: seen on Cog 0.23.1 with slots free, too.

    After `give_up_after` seconds the 409 itself is returned.
    """
    give_up = time.monotonic() + give_up_after
    while True:
        answer = send()
        if answer.status_code != BUSY or time.monotonic() > give_up:
            return answer
        time.sleep(PAUSE)
