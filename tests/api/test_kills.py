"""SIGKILL at every step: after a restart nothing is lost, and nothing was paid for twice."""

from collections.abc import Iterator

import pytest

from tests.api.crashes import Crashes, crashes
from tests.api.kept import Kept
from tests.api.killed_api import POINTS

pytestmark = pytest.mark.long

BRIEF = "[sandbox:slow seconds=0.3]"
LONG = "[sandbox:slow seconds=4]"
LIMITED = "[sandbox:rate-limit retry-after=7 times=1]"

KILLS_A_POINT = 2
COG_POINTS = [
    "noted as sent, Cog not asked",
    "Cog asked, answer not read",
    "start stored",
    "output on its way, not stored",
    "output stored, Cog not told",
    "last word heard, not stored",
    "cancel noted, Cog not asked",
]
SANDBOX_POINTS = ["noted as sent, Cog not asked", "start stored", "last word heard, not stored"]


@pytest.fixture(scope="module")
def stack(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("crashes"), kept) as running:
        yield running
        running.api.kill()


def ask_for_some(stack: Crashes, point: str) -> None:
    """More than there are slots; one that runs is canceled, and one that waits."""
    running = stack.ask(LONG)
    for _ in range(5):
        stack.ask(LIMITED if "not billed" in point else BRIEF)
    waiting = stack.ask(LONG)
    if waiting:
        stack.cancel(waiting)
    if running:
        if "cancel" in point and "queued" not in point:
            stack.wait_until_it_runs(running)
        stack.cancel(running)


def times(point: str, wanted: int) -> int:
    """How often the API is to get there: one prediction is canceled at each go."""
    return 1 if "cancel" in point.lower() else wanted


@pytest.mark.parametrize("point", POINTS)
def test_an_api_killed_there_loses_and_repeats_nothing(stack: Crashes, point: str) -> None:
    for kill in range(1, KILLS_A_POINT + 1):
        time = times(point, kill)
        stack.start_api_to_die_at(point, time)
        ask_for_some(stack, point)
        assert stack.api_died(within=15), f"the API never got there {time} times"

    stack.api.start()
    stack.check()


@pytest.mark.parametrize("point", COG_POINTS)
def test_a_cog_server_killed_there_loses_and_repeats_nothing(stack: Crashes, point: str) -> None:
    stack.api.settings["KILL_PID"] = str(stack.cog.process.pid)
    stack.api.start("-m", "tests.api.killed_api", point, str(times(point, 2)))
    del stack.api.settings["KILL_PID"]
    ask_for_some(stack, point)
    assert stack.cog_died(within=15)

    stack.start_cog()
    stack.check()


@pytest.mark.parametrize("point", SANDBOX_POINTS)
def test_a_sandbox_killed_there_loses_and_repeats_nothing(stack: Crashes, point: str) -> None:
    ledger = {
        "KILL_PID": str(stack.sandbox.process.pid),
        "KILL_LEDGER": f"{stack.sandbox.root}/sandbox/ledger",
        "KILL_LEDGER_FILE": str(stack.ledger_file),
    }
    stack.api.settings |= ledger
    stack.api.start("-m", "tests.api.killed_api", point, "2")
    for name in ledger:
        del stack.api.settings[name]
    ask_for_some(stack, point)
    assert stack.sandbox_died(within=15)

    stack.start_sandbox()
    stack.check()
