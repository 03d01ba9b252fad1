"""The soak of `python -m benchmarks.soak`, short: every fault of the sandbox, three times each."""

import pytest

from benchmarks.soak.plan import kinds
from benchmarks.soak.run import soak

pytestmark = pytest.mark.long

EACH = 3


def test_under_every_fault_nothing_hangs_leaks_is_billed_twice_or_lost_without_a_word() -> None:
    soaked = soak(EACH * len(kinds()), seed=1)
    assert soaked.problems(at_least=EACH) == []
