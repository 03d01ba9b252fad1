"""SIGKILL while a dialect's caller waits: sent again, its request gets what was begun.

Replicate's dialect goes through every step of it in kills/, and Runware's through its own
in test_runware_kills.py.
"""

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from tests.api.crashes import SETTINGS, Crashes, crashes
from tests.api.every_dialect import TAKING_KEYS, Draw, NoPicture
from tests.api.kept import Kept

pytestmark = pytest.mark.long

OTHERS = {name: draw for name, draw in TAKING_KEYS.items() if name != "Replicate"}
_numbers = itertools.count(5_000_001)


@pytest.fixture(scope="module")
def stack(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("crashes"), kept) as running:
        yield running
        running.api.kill()


@pytest.mark.parametrize("point", ["queued, not answered", "output stored, Cog not told"])
@pytest.mark.parametrize("draw", OTHERS.values(), ids=OTHERS)
def test_a_request_that_is_sent_again_after_a_kill_is_paid_for_once(
    stack: Crashes, draw: Draw, point: str
) -> None:
    number = next(_numbers)
    stack.asked.append(number)
    wish = stack.api.url, SETTINGS["API_TOKEN"], f"Lighthouse [#{number}]"
    stack.start_api_to_die_at(point, 1)
    with pytest.raises(requests.ConnectionError):
        draw(*wish)
    assert stack.api_died(within=15)

    stack.api.start()
    try:
        assert draw(*wish, again=True).startswith(b"\x89PNG")
    except NoPicture as told:
        assert "may have been billed" in str(told)

    assert len(stack.all_ended()) == 1
    billed = Counter(each["number"] for each in stack.entries() if each["billed"])
    assert billed[number] == 1
    stack.asked.clear()
