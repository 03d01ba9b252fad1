"""A request that is sent again gets the first prediction; calls that are alike are two."""

import http.client
import json
import time
from collections import Counter
from contextlib import closing
from typing import Any

from tests.api.replicate_caller import MODEL, ReplicateCaller
from tests.support.sandbox_client import Sandbox

PATH = f"/v1/models/{MODEL}/predictions"


def send(caller: ReplicateCaller, body: bytes, **headers: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(caller.url.removeprefix("http://"), timeout=30)
    own = {"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"}
    connection.request("POST", PATH, body, own | headers)
    return connection


def answer_to(caller: ReplicateCaller, body: bytes, **headers: str) -> dict[str, Any]:
    with closing(send(caller, body, **headers)) as connection:
        return dict(json.loads(connection.getresponse().read()))


def test_calls_that_are_alike_are_two_predictions(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    first, second = caller.created("Twins"), caller.created("Twins")

    assert first["id"] != second["id"]
    for each in (first, second):
        caller.ended(each["id"])
    assert len(sandbox.ledger) == 2


def test_a_client_that_says_it_repeats_gets_the_first_prediction(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    first = caller.create("Told").json()["id"]
    again = caller.create("Told", **{"x-stainless-retry-count": "1"}).json()["id"]
    other = caller.create("Told otherwise", **{"x-stainless-retry-count": "1"}).json()["id"]

    assert again == first
    assert other != first
    for id in (first, other):
        caller.ended(id)
    assert len(sandbox.ledger) == 2


def test_a_caller_who_was_cut_off_while_waiting_gets_the_first_prediction(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    body = json.dumps({"input": {"prompt": "Cut off [sandbox:slow seconds=1]"}}).encode()
    connection = send(caller, body, Prefer="wait")
    sandbox.wait_for(lambda entry: entry["received"])
    connection.close()

    answer = answer_to(caller, body, Prefer="wait")

    assert answer["status"] == "succeeded"
    assert len(sandbox.ledger) == 1
    third = answer_to(caller, body, Prefer="wait")
    assert third["id"] != answer["id"]


def test_a_caller_who_sends_again_at_once_gets_one_prediction(caller: ReplicateCaller) -> None:
    """The first request is still being read when the second one comes."""
    padding = "data:text/plain;base64," + "A" * 1_000_000
    prompts = [f"Sent again at once {number}" for number in range(12)]
    for prompt in prompts:
        inputs = {"prompt": prompt, "input_images": [padding], "openai_api_key": "no-such-key"}
        body = json.dumps({"input": inputs}).encode()
        send(caller, body).close()
        caller.ended(answer_to(caller, body, **{"x-stainless-retry-count": "1"})["id"])

    listed = caller.get("predictions").json()["results"]
    counts = Counter(each["input"]["prompt"] for each in listed)
    assert {prompt: counts[prompt] for prompt in prompts} == dict.fromkeys(prompts, 1)


def test_the_first_prediction_is_found_also_when_it_has_ended(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    body = json.dumps({"input": {"prompt": "Late [sandbox:slow seconds=0.5]"}}).encode()
    connection = send(caller, body, Prefer="wait")
    sandbox.wait_for(lambda entry: entry["received"])
    connection.close()
    sandbox.wait_for(lambda entry: entry["delivered"])
    time.sleep(0.5)

    answer = answer_to(caller, body)

    assert caller.ended(answer["id"])["status"] == "succeeded"
    assert len(sandbox.ledger) == 1
