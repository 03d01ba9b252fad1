"""Canceling predictions, and ending them in time."""

import time

import pytest

from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

SLOW = "A slow lighthouse [sandbox:slow seconds=20]"


def test_canceling_a_running_prediction_closes_the_upstream_connection(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    id = caller.created(SLOW)["id"]
    sandbox.wait_for(lambda entry: entry["received"])

    canceled = caller.cancel(id)

    assert canceled["status"] == "canceled"
    assert canceled["completed_at"]
    assert canceled["metrics"]["total_time"] > 0
    assert canceled["error"] is None
    sandbox.wait_for(lambda entry: entry["disconnected"])


def test_a_prediction_canceled_at_once_ends_soon(caller: ReplicateCaller) -> None:
    """Cog loses cancels that come in the first milliseconds."""
    ids = [caller.created(SLOW)["id"] for _ in range(8)]
    started = time.monotonic()
    for id in ids:
        caller.cancel(id)

    assert {caller.ended(id, within=15)["status"] for id in ids} == {"canceled"}
    assert time.monotonic() - started < 15


def test_canceling_again_changes_nothing(caller: ReplicateCaller) -> None:
    id = caller.created()["id"]
    ended = caller.ended(id)

    assert caller.cancel(id) == ended


def test_a_prediction_ends_by_the_time_that_its_caller_gave(caller: ReplicateCaller) -> None:
    answer = caller.create(SLOW, **{"Cancel-After": "5s"})
    assert answer.json()["deadline"] > answer.json()["created_at"]

    ended = caller.ended(answer.json()["id"], within=15)
    assert ended["status"] == "canceled"
    assert ended["error"] == "The deadline passed while it ran; it may have been billed."
    assert 4.5 < ended["metrics"]["total_time"] < 10


@pytest.mark.parametrize("given", ["4s", "soon", "-5", "1.5m", ""])
def test_a_time_to_cancel_that_is_none_is_refused(caller: ReplicateCaller, given: str) -> None:
    answer = caller.create(**{"Cancel-After": given})

    assert answer.status_code == 422
    assert "Cancel-After" in answer.json()["detail"]
