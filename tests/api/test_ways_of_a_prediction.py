"""What becomes of predictions besides running at once: tried again, in turn, found again, lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from tests.api.admin import admin, token_for
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller
from tests.support.loopback import nobody
from tests.support.sandbox_client import Sandbox

SLOW = "[sandbox:slow seconds=20]"


@pytest.fixture(scope="module")
def cog_behind(
    sandbox_process: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CogBehind]:
    """A Cog server that does not wait long itself, and has one slot."""
    port, outputs = free_port(), tmp_path_factory.mktemp("left-behind")
    environment = {
        "OPENAI_PROXY_URL": sandbox_process.url,
        "OPENAI_DEADLINE_SECONDS": "5",
        "COG_MAX_CONCURRENCY": "1",
    }
    with predictor_for_api(port, outputs, **environment) as server:
        yield CogBehind(server, port, outputs)


@pytest.fixture(scope="module")
def api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    settings = kept.settings | {
        "API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED,
        "API_COG_SLOTS": "1",
        "API_COG_WORD_SECONDS": "3",
        "API_COG_LOST_SECONDS": "3",
    }
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


def test_what_was_not_billed_waits_as_told_and_is_tried_again(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    ended = caller.ended(caller.created("[sandbox:rate-limit retry-after=6 times=1]")["id"])

    assert ended["status"] == "succeeded"
    assert ended["metrics"]["total_time"] > 6
    assert [entry["billed"] for entry in sandbox.ledger] == [False, True]


def test_what_is_not_billed_in_time_ends_by_the_deadline(caller: ReplicateCaller) -> None:
    # Not much longer: the account's other predictions are held back until then.
    answer = caller.create("[sandbox:rate-limit retry-after=9]", **{"Cancel-After": "6s"})
    ended = caller.ended(answer.json()["id"])

    assert ended["status"] == "failed"
    assert ended["error"].startswith("RateLimited: ")


def test_what_may_have_been_billed_is_final(caller: ReplicateCaller, sandbox: Sandbox) -> None:
    ended = caller.ended(caller.created("[sandbox:reset-after-read]")["id"])

    assert ended["status"] == "failed"
    assert "may have been billed" in ended["error"]
    assert len(sandbox.ledger) == 1


def test_everybodys_first_goes_before_anybodys_second(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    other = ReplicateCaller(api.url, token_for(api, "other"))
    last = [caller.created(f"Mine [#{n}] [sandbox:slow seconds=0.5]")["id"] for n in range(1, 7)]
    theirs = [other.created(f"Theirs [#{n}]")["id"] for n in range(101, 103)]
    caller.ended(last[-1])

    order = [entry["number"] for entry in sandbox.ledger]
    assert other.ended(theirs[0])["status"] == "succeeded"
    assert order.index(101) <= 2
    assert order.index(102) <= 4


def test_a_prediction_that_waits_ends_by_its_deadline_and_at_once_when_canceled(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    before = [caller.created("[sandbox:slow seconds=2]")["id"] for _ in range(3)]
    late = caller.create(**{"Cancel-After": "5s"}).json()["id"]
    canceled = caller.cancel(caller.created()["id"])

    assert canceled["status"] == "canceled"
    assert "started_at" not in canceled
    ended = caller.ended(late)
    assert ended["status"] == "canceled"
    assert ended["error"] == "The deadline passed before it could run; nothing was billed."
    assert {caller.ended(id)["status"] for id in before} == {"succeeded"}
    assert len(sandbox.ledger) == 3


def test_an_orderly_stop_loses_nothing_that_runs_or_waits(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    ids = [caller.created("[sandbox:slow seconds=2]")["id"] for _ in range(2)]
    sandbox.wait_for(lambda entry: entry["received"])

    api.stop()
    api.start()

    assert {caller.ended(id)["status"] for id in ids} == {"succeeded"}
    assert len(sandbox.ledger) == 2


@pytest.mark.one_machine
def test_a_store_that_fails_is_tried_again_from_the_local_copy(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    created = caller.created("[sandbox:slow seconds=1]")
    sandbox.wait_for(lambda entry: entry["received"])
    files = api.data / "files"
    files.rename(api.data / "away")
    files.write_text("in the way")
    sandbox.wait_for(lambda entry: entry["delivered"])
    time.sleep(1)
    assert caller.prediction(created["id"])["status"] == "processing"

    files.unlink()
    (api.data / "away").rename(files)

    ended = caller.ended(created["id"])
    assert ended["status"] == "succeeded"
    assert ended["output"][0].startswith("data:image/webp")
    assert len(sandbox.ledger) == 1


@pytest.mark.long
def test_after_a_restore_nothing_unfinished_is_sent(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    ids = [caller.created("[sandbox:slow seconds=2]")["id"] for _ in range(2)]
    sandbox.wait_for(lambda entry: entry["received"])
    api.kill()

    assert "2 predictions" in admin(api, "after-restore")
    api.start()

    for id in ids:
        ended = caller.ended(id)
        assert ended["status"] == "failed"
        assert "may have been billed" in ended["error"]
    time.sleep(2)
    assert len(sandbox.ledger) == 1


@pytest.mark.one_machine
def test_a_database_that_is_in_use_is_not_restored(api: Api) -> None:
    with pytest.raises(Exception, match="non-zero"):
        admin(api, "after-restore")


def test_an_address_that_cannot_be_fetched_costs_nothing(
    caller: ReplicateCaller, sandbox: Sandbox, tmp_path: Path
) -> None:
    with nobody() as address:
        created = caller.created(input={"input_images": [f"{address}/nothing.png"]})
        ended = caller.ended(created["id"])

    assert ended["status"] == "failed"
    assert "input_images.0" in ended["error"]
    assert address not in ended["error"]
    assert sandbox.ledger == []


def test_an_address_is_fetched_by_the_api_and_not_by_cog(
    caller: ReplicateCaller, sandbox: Sandbox, image_url: str
) -> None:
    ended = caller.ended(caller.created(input={"input_images": [image_url]})["id"])

    assert ended["status"] == "succeeded"
    assert ended["input"]["input_images"] == [image_url]
    assert sandbox.request.path == "/v1/images/edits"
