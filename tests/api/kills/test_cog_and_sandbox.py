"""SIGKILL of Cog's server and of the sandbox: nothing is lost or paid for twice."""

import pytest

from tests.api.crashes import Crashes
from tests.api.kills.dying import ask_for_some, times

pytestmark = pytest.mark.long

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
