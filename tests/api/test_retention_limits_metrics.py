"""What is removed in time, what a tenant may ask for, and what operators see."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import requests

from dev.servers import get
from dev.servers.api import Api, api_before
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

SLOW = "[sandbox:slow seconds=20]"


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """One that forgets at once, and whose records go soon."""
    settings = kept.settings | {
        "API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED,
        "API_RETENTION_SECONDS": "3",
        "API_RECORD_RETENTION_SECONDS": "9",
        "API_MAX_DATA_URI_BYTES": "0",
    }
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


@pytest.fixture
def limit(api: Api, kept: Kept) -> Iterator[Callable[..., None]]:
    """Sets the limits of all tenants, until the test is over."""
    yield partial(kept.limit, api.data)
    kept.limit(api.data)


def test_data_goes_an_hour_after_the_end_and_the_record_later(
    api: Api, kept: Kept, caller: ReplicateCaller
) -> None:
    image = data_uri(picture())
    created = caller.created("Remove me", input={"input_images": [image]})
    ended = caller.ended(created["id"])
    (address,) = ended["output"]
    assert address.startswith(f"{api.url}/files/")
    assert requests.get(address, timeout=60).content[8:12] == b"WEBP"
    assert requests.get(ended["input"]["input_images"][0], timeout=60).content == picture()
    assert len(kept.files(api.data)) == 2

    wait_until(lambda: caller.prediction(created["id"])["data_removed"])
    removed = caller.prediction(created["id"])
    assert (removed["input"], removed["output"], removed["logs"]) == ({}, None, "")
    assert removed["status"] == "succeeded"
    assert removed["metrics"]
    assert requests.get(address, timeout=60).status_code == 404
    assert not kept.files(api.data)
    wait_until(lambda: caller.get(f"predictions/{created['id']}").status_code == 404)


def test_more_unfinished_predictions_than_allowed_are_refused_with_a_time(
    limit: Callable[..., None], caller: ReplicateCaller
) -> None:
    limit(unfinished=2)
    ids = [caller.created(SLOW)["id"] for _ in range(2)]

    refused = caller.create()

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) == refused.json()["retry_after"] > 0
    assert refused.headers["x-should-retry"] == "false"
    for id in ids:
        caller.cancel(id)
        caller.ended(id)
    assert caller.create().status_code == 201


def test_more_creates_a_minute_than_allowed_are_refused(
    limit: Callable[..., None], caller: ReplicateCaller
) -> None:
    limit(creates_per_minute=1)
    statuses = [caller.create().status_code for _ in range(3)]

    assert statuses[1:] == [429, 429]
    assert caller.get("predictions").status_code == 200


def test_more_dollars_a_day_than_allowed_are_refused(
    limit: Callable[..., None], caller: ReplicateCaller
) -> None:
    limit(dollars_a_day=0.01, creates_per_minute=60_000)  # the last test emptied a bucket

    refused = caller.create()

    assert refused.status_code == 429
    assert "dollar" not in refused.json()["detail"]
    assert "$0.01" in refused.json()["detail"]


def test_a_refused_prediction_leaves_no_file(
    api: Api, kept: Kept, limit: Callable[..., None], caller: ReplicateCaller
) -> None:
    for earlier in caller.get("predictions").json()["results"]:
        caller.ended(earlier["id"])  # its outputs may still have been on their way
    before = len(kept.files(api.data))
    limit(unfinished=0)
    body = {"input": {"prompt": "a", "input_images": [data_uri(picture())]}}

    assert caller.create(body=body).status_code == 429
    assert len(kept.files(api.data)) <= before


def test_metrics_say_what_runs_waits_and_has_ended(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    caller.ended(caller.created()["id"])
    id = caller.created(SLOW)["id"]
    sandbox.wait_for(lambda entry: entry["received"] and not entry["billed"])

    _, body = get(f"http://127.0.0.1:{api.metrics_port}/metrics")
    lines = body.decode().splitlines()

    assert 'api_predictions{state="sent"} 1.0' in lines
    assert "api_slots_wanted 1.0" in lines
    assert "api_queue_length 0.0" in lines
    assert "api_queue_oldest_seconds 0.0" in lines
    dollars = next(line for line in lines if line.startswith("api_dollars_total"))
    assert float(dollars.split()[1]) > 0
    for name in ("api_waiting_seconds", "api_running_seconds", "api_delivering_seconds"):
        assert any(line.startswith(f"{name}_count") for line in lines)
    assert any(line.startswith("api_webhook_failures_total") for line in lines)
    assert any(line.startswith("api_fetches_refused_total") for line in lines)
    caller.cancel(id)


def test_health_says_whether_it_lives_and_serves(api: Api) -> None:
    assert get(f"{api.url}/health/live")[0] == 200
    assert get(f"{api.url}/health/ready")[0] == 200
    assert get(f"{api.url}/metrics")[0] == 404
