"""Runware's tasks over a WebSocket."""

import time

import pytest

from dev.servers.api import Api
from tests.api.admin import admin, token_for
from tests.api.runware_caller import RunwareCaller, inference, task
from tests.support.sandbox_client import Sandbox

SLOW = "A fox [sandbox:slow seconds=1]"
PING = {"taskType": "ping", "ping": True}


@pytest.fixture
def runware(api: Api, sandbox: Sandbox) -> RunwareCaller:
    """The first tenant; the sandbox has no requests recorded yet."""
    return RunwareCaller(api.url, api.token)


def test_a_ping_is_answered_while_a_picture_is_drawn(runware: RunwareCaller) -> None:
    with runware.socket("?sdk=x&version=1") as socket:
        asked = inference(SLOW, numberResults=2)
        socket.send(asked)
        socket.send(PING)
        first, *pictures = socket.frames(3)
    assert first == {"data": [{"taskType": "ping", "pong": True}]}
    items = [item for frame in pictures for item in frame["data"]]
    assert len({item["imageUUID"] for item in items}) == 2
    assert {item["taskUUID"] for item in items} == {asked["taskUUID"]}


def test_several_tasks_in_a_frame_are_answered_one_by_one(runware: RunwareCaller) -> None:
    with runware.socket() as socket:
        later = inference(deliveryMethod="async")
        socket.send(PING, later, task("nonsense"), task("modelSearch"))
        frames = socket.frames(4)
    data = [item for frame in frames for item in frame.get("data", [])]
    assert {item["taskType"] for item in data} == {"ping", "imageInference", "modelSearch"}
    (acknowledged,) = [item for item in data if item["taskType"] == "imageInference"]
    assert "imageUUID" not in acknowledged
    # runware-sdk reads no data beside errors.
    assert [set(frame) for frame in frames if "errors" in frame] == [{"errors"}]
    runware.ended(later["taskUUID"])


def test_a_taken_uuid_is_a_conflict(runware: RunwareCaller, sandbox: Sandbox) -> None:
    with runware.socket() as socket:
        asked = inference()
        socket.send(asked)
        assert "data" in socket.frame()
        socket.send(asked)
        (error,) = socket.frame()["errors"]
    assert error["code"] == "conflictTaskUUID"
    assert (error["parameter"], error["taskUUID"]) == ("taskUUID", asked["taskUUID"])
    assert len(sandbox.requests) == 1


def test_a_job_whose_socket_is_cut_is_found_over_another(
    runware: RunwareCaller, sandbox: Sandbox
) -> None:
    asked = inference(SLOW)
    with runware.socket() as socket:
        socket.send(asked)
        sandbox.wait_for(lambda _: True, within=20)
        socket.connection.socket.close()
    with runware.socket() as socket:
        found = [{"status": "processing"}]
        while found[0]["status"] == "processing":
            socket.send({"taskType": "getResponse", "taskUUID": asked["taskUUID"]})
            found = socket.frame()["data"]
            time.sleep(0.05)
        assert found[0]["status"] == "success"
        assert len(sandbox.requests) == 1
        socket.send(inference(SLOW))  # which means another one
        assert socket.frame()["data"][0]["imageUUID"] != found[0]["imageUUID"]


def test_a_job_that_was_cut_and_is_sent_again_as_a_new_one_is_drawn_once(
    runware: RunwareCaller, sandbox: Sandbox
) -> None:
    first, again = inference(SLOW), inference(SLOW)
    with runware.socket() as socket:
        socket.send(first)
        sandbox.wait_for(lambda _: True, within=20)
    with runware.socket() as socket:
        socket.send(again)
        (item,) = socket.frame()["data"]
    assert item["taskUUID"] == again["taskUUID"]
    assert len(sandbox.requests) == 1


def test_equal_tasks_side_by_side_are_drawn_each(runware: RunwareCaller, sandbox: Sandbox) -> None:
    with runware.socket() as socket:
        socket.send(inference("A fox"), inference("A fox"))
        socket.frames(2)
    assert len(sandbox.requests) == 2


def test_a_key_that_is_not_known_is_told_and_a_better_one_taken(runware: RunwareCaller) -> None:
    with runware.stranger() as socket:
        socket.send(inference())
        (error,) = socket.frame()["errors"]
        assert error["code"] == "missingApiKey"
        socket.send({"taskType": "authentication", "apiKey": "nobodys"})
        assert socket.frame() == {
            "errors": [
                {
                    "code": "invalidApiKey",
                    "message": "Invalid API key.",
                    "parameter": "apiKey",
                    "taskType": "authentication",
                }
            ]
        }
        session = {"connectionSessionUUID": "5f8d9a1e-0000-4000-8000-000000000000"}
        socket.send({"taskType": "authentication", "apiKey": runware.token} | session)
        assert socket.frame()["data"] == [{"taskType": "authentication"} | session]


def test_a_key_that_is_revoked_is_good_for_nothing_more(api: Api, runware: RunwareCaller) -> None:
    token = token_for(api, "short")
    with RunwareCaller(api.url, token).socket() as socket:
        socket.send({"taskType": "authentication", "apiKey": runware.token})
        assert socket.frame()["errors"][0]["code"] == "conflictApiKey"
        admin(api, "token", "revoke", says=token)
        socket.send(PING)
        assert socket.frame()["errors"][0]["code"] == "invalidApiKey"
