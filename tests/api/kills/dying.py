"""Predictions of every kind, while something dies at a named point of their way.

All of it is 58 kills. At length, 1,044: for round in $(seq 18); do pytest tests/api/kills; done
"""

from tests.api.crashes import Crashes

_BRIEF = "[sandbox:slow seconds=0.3]"
_LONG = "[sandbox:slow seconds=4]"
_LIMITED = "[sandbox:rate-limit retry-after=7 times=1]"
_KILLS_A_POINT = 2


def let_the_api_die_at(stack: Crashes, point: str) -> None:
    """Twice, each time over other predictions, and then nothing is lost or repeated."""
    for kill in range(1, _KILLS_A_POINT + 1):
        time = times(point, kill)
        stack.start_api_to_die_at(point, time)
        ask_for_some(stack, point)
        assert stack.api_died(within=15), f"the API never got there {time} times"

    stack.api.start()
    stack.check()


def ask_for_some(stack: Crashes, point: str) -> None:
    """More than there are slots; one that runs is canceled, and one that waits."""
    running = stack.ask(_LONG)
    for _ in range(5):
        stack.ask(_LIMITED if "not billed" in point else _BRIEF)
    waiting = stack.ask(_LONG)
    if waiting:
        stack.cancel(waiting)
    if running:
        if "cancel" in point and "queued" not in point:
            stack.wait_until_it_runs(running)
        stack.cancel(running)


def times(point: str, wanted: int) -> int:
    """How often the API is to get there: one prediction is canceled at each go."""
    return 1 if "cancel" in point.lower() else wanted
