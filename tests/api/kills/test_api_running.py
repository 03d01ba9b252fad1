"""SIGKILL of the API while predictions run: nothing is lost or paid for twice."""

import pytest

from tests.api.crashes import Crashes
from tests.api.killed_api import RUNNING
from tests.api.kills.dying import let_the_api_die_at

pytestmark = pytest.mark.long


@pytest.mark.parametrize("point", RUNNING)
def test_an_api_killed_there_loses_and_repeats_nothing(stack: Crashes, point: str) -> None:
    let_the_api_die_at(stack, point)
