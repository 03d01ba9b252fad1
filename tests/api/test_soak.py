"""The soak of `python -m benchmarks.api_soak`, short: every fault of the sandbox, all callers."""

import pytest

from benchmarks.api_soak.run import soak


@pytest.mark.long
def test_under_every_fault_and_caller_nothing_is_lost_leaks_or_is_billed_twice() -> None:
    assert soak(90, seed=1).problems() == []
