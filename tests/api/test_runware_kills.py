"""SIGKILL in the middle of Runware's tasks: none is lost, none is paid for twice.

The steps that all dialects share are in kills/; these are the ones that a group, a scaled
picture and an upload add, and some of the others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from websockets.exceptions import WebSocketException

from tests.api.crashes import SETTINGS, Crashes, crashes
from tests.api.kept import Kept
from tests.api.runware_caller import RunwareCaller, inference
from tests.support.loopback import Uploads, upload_receiver

pytestmark = pytest.mark.long

BRIEF = "[sandbox:slow seconds=0.3]"
POINTS = [
    "group stored, not queued",
    "noted as sent, Cog not asked",
    "picture scaled, not named in the end",
    "output put, not noted",
]


@pytest.fixture(scope="module")
def stack(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("crashes"), kept, SANDBOX_PRERENDERED="true") as running:
        yield running
        running.api.kill()


@pytest.fixture(scope="module")
def uploads() -> Iterator[Uploads]:
    with upload_receiver() as receiver:
        yield receiver


def caller(stack: Crashes) -> RunwareCaller:
    return RunwareCaller(stack.api.url, SETTINGS["API_TOKEN"])


def ask(stack: Crashes, uploads: Uploads, number: int, over: str, size: int) -> dict[str, Any]:
    """Send a task, and go on where the API dies over it."""
    task = inference(
        f"Lighthouse [#{number}] {BRIEF}",
        width=size,
        height=size,
        outputFormat="PNG",
        numberResults=11,
        deliveryMethod="async",
        webhookURL=f"{stack.webhooks.url}/{number}",
        uploadEndpoint=f"{uploads.url}/{number}",
    )
    with suppress(requests.ConnectionError, WebSocketException, OSError):
        if over == "http":
            caller(stack).post(task)
        else:
            with caller(stack).socket() as socket:
                socket.send(task)
                socket.frame()
    return task


@pytest.mark.parametrize("point", POINTS)
def test_a_task_that_is_sent_again_after_a_crash_is_paid_for_once(
    stack: Crashes, uploads: Uploads, point: str
) -> None:
    number = 1000 + POINTS.index(point)
    stack.start_api_to_die_at(point, 1)
    over = "http" if number % 2 else "socket"
    task = ask(stack, uploads, number, over, 512 if "scaled" in point else 1024)
    assert stack.api_died(within=30), "the API never got there"

    stack.api.start()
    (again,) = caller(stack).items(task)
    assert again == {"taskType": "imageInference", "taskUUID": task["taskUUID"]}
    ended = caller(stack).ended(task["taskUUID"])
    billed = Counter(
        entry["n"] for entry in stack.entries() if entry["billed"] and entry["number"] == number
    )
    told = str(ended.get("errors", ""))
    assert billed in ({10: 1, 1: 1}, {10: 1}, {1: 1}, {}), "billed twice"
    missing = 2 - billed.total()
    assert not missing or "may have been billed" in told
    assert len(ended.get("data", [])) + len(ended.get("errors", [])) == 11
    ids = {item["imageUUID"] for item in ended.get("data", [])}
    stack.webhooks.wait_for(lambda _: ids <= heard(stack), within=30)
    for item in ended.get("data", [])[:1]:
        assert caller(stack).picture(item)


def heard(stack: Crashes) -> set[str]:
    """The imageUUIDs that the webhooks have told of."""
    return {item["imageUUID"] for body in stack.webhooks.bodies for item in body.get("data", [])}
