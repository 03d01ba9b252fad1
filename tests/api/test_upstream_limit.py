"""An upstream that makes only so many images a minute: the queue holds back, and gets no 429.

The minute is short here, at the sandbox and at the API alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dev.servers import Server, free_port, get, sandbox_server
from dev.servers.api import Api, api_before, predictor_for_api
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import Cluster, cluster
from tests.api.kept import shared
from tests.api.replicate_caller import ReplicateCaller
from tests.api.runware_caller import RunwareCaller, inference
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

LIMIT = 4
SANDBOXES_MINUTE, APIS_MINUTE = 2, 4  # seconds: a slow machine sends what it took later
SETTINGS = {
    "API_UPSTREAM_IMAGES_PER_MINUTE": str(LIMIT),
    "API_UPSTREAM_WINDOW_SECONDS": str(APIS_MINUTE),
}
A_MINUTES = {"number_of_images": LIMIT}
REFUSED_ONCE = "[sandbox:rate-limit retry-after=6 times=1]"


@contextmanager
def limited_sandbox() -> Iterator[Server]:
    with sandbox_server(
        SANDBOX_IMAGES_PER_MINUTE=str(LIMIT),
        SANDBOX_MINUTE_SECONDS=str(SANDBOXES_MINUTE),
        SANDBOX_PRERENDERED="true",
        SANDBOX_RECORD="true",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def upstream() -> Iterator[Server]:
    with limited_sandbox() as server:
        yield server


@pytest.fixture(scope="module")
def api(upstream: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    port, outputs = free_port(), tmp_path_factory.mktemp("outputs")
    data = tmp_path_factory.mktemp("api")
    environment = {
        "OPENAI_PROXY_URL": upstream.url,
        "OPENAI_BASE_URL": upstream.url,
        "OPENAI_DEADLINE_SECONDS": "5",  # a longer wait is told to the API instead
    }
    with (
        predictor_for_api(port, outputs, **environment) as cog,
        api_before(cog, port, data, outputs, **SETTINGS) as running,
    ):
        yield running


@pytest.fixture
def sandbox(upstream: Server) -> Sandbox:
    sandbox = Sandbox(upstream.root)
    sandbox.forget()
    return sandbox


@pytest.fixture
def caller(api: Api) -> ReplicateCaller:
    return ReplicateCaller(api.url, api.token)


def gauge(api: Api, name: str) -> float:
    _, body = get(f"http://127.0.0.1:{api.metrics_port}/metrics")
    (line,) = [line for line in body.decode().splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_more_than_the_limit_waits_and_none_is_refused(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    ids = [caller.created(f"Many {number}", input=A_MINUTES)["id"] for number in range(3)]
    wait_until(lambda: gauge(api, "api_held_back") > 0)
    assert gauge(api, "api_slots_wanted") < len(ids), "another worker would be of no use"
    theirs = caller.created("My own", input={"openai_api_key": "a-key-of-the-callers"})["id"]

    own = caller.ended(theirs)
    ends = [caller.ended(id, within=60) for id in ids]

    assert {each["status"] for each in [own, *ends]} == {"succeeded"}
    assert {entry["status"] for entry in sandbox.ledger} == {200}
    assert own["completed_at"] < max(each["completed_at"] for each in ends)
    assert gauge(api, "api_held_back") == 0


def test_input_images_count_as_well(caller: ReplicateCaller, sandbox: Sandbox) -> None:
    three = {"input_images": [data_uri(picture())] * (LIMIT - 1)}
    changed = [caller.created(f"Changed {number}", input=three)["id"] for number in range(2)]

    assert {caller.ended(id, within=60)["status"] for id in changed} == {"succeeded"}
    assert {entry["status"] for entry in sandbox.ledger} == {200}


def test_more_images_than_a_minute_has_are_refused_before_they_wait(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    too_many = {"prompt": "A lighthouse", "number_of_images": LIMIT + 1}
    refused = caller.create(body={"input": too_many})
    error = RunwareCaller(api.url, api.token).error(inference(numberResults=LIMIT + 1))
    own = caller.create(body={"input": too_many | {"openai_api_key": "a-key-of-the-callers"}})

    sentence = f"Must be less than or equal to {LIMIT}, which is all that is made in a minute"
    assert refused.status_code == 422
    assert refused.json()["detail"] == f"- input.number_of_images: {sentence}\n"
    assert error["message"] == f"numberResults: {sentence}."
    assert own.status_code == 201
    caller.cancel(own.json()["id"])


def test_a_callers_account_that_was_refused_waits_as_a_whole_and_no_other_does(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    theirs = {"openai_api_key": "a-key-with-a-limit"}
    first = caller.created(f"Refused {REFUSED_ONCE}", input=theirs)["id"]
    wait_until(lambda: any(entry["status"] == 429 for entry in sandbox.ledger))
    caller.once(first, "starting")
    second = caller.created("Behind it", input=theirs)["id"]
    another = caller.created("Another's", input={"openai_api_key": "a-key-without"})["id"]

    ends = [caller.ended(id, within=60) for id in (another, first, second)]

    assert {each["status"] for each in ends} == {"succeeded"}
    refused_at = next(e["opened_at"] for e in sandbox.ledger if e["status"] == 429)
    billed = sorted(e["opened_at"] - refused_at for e in sandbox.ledger if e["billed"])
    assert len(billed) == 3
    assert billed[1] > 5.5, "only the other key's is sent before the time that the upstream named"


@pytest.fixture(scope="module")
def many(
    postgres: Postgres,
    store: ObjectStore,
    upstream: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder, kept = tmp_path_factory.mktemp("cluster"), shared(postgres, store)
    with cluster(folder, kept, upstream, apis=1, workers=2, settings=SETTINGS) as running:
        yield running


@pytest.mark.postgres
def test_workers_of_many_processes_hold_back_together(many: Cluster, sandbox: Sandbox) -> None:
    caller = many.caller(0)
    ids = [caller.created(f"Many {number}", input=A_MINUTES)["id"] for number in range(3)]

    assert {caller.ended(id, within=60)["status"] for id in ids} == {"succeeded"}
    assert {entry["status"] for entry in sandbox.ledger} == {200}
