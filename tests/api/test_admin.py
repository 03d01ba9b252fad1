"""What an operator does from the command line, beside the running API."""

import time

from dev.servers.api import Api
from tests.api.commands import admin, refused
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until


def token_for(api: Api, tenant: str) -> str:
    return admin(api, "token", "create", tenant).strip()


def test_a_tenants_limits_are_shown_and_set_and_hold_at_once(api: Api, sandbox: Sandbox) -> None:
    caller = ReplicateCaller(api.url, token_for(api, "limited"))
    shown = admin(api, "admin", "limits", "limited", "--unfinished", "0", "--dollars-a-day", "2.5")

    assert "unfinished           0" in shown
    assert "dollars_a_day        2.5" in shown
    assert "creates_per_minute   600" in shown
    assert caller.create().status_code == 429
    admin(api, "admin", "limits", "limited", "--unfinished", "5", "--dollars-a-day", "none")
    assert caller.create().status_code == 201


def test_a_limit_that_is_none_or_of_nobody_is_refused(api: Api) -> None:
    assert "There is no tenant nobody" in refused(api, "admin", "limits", "nobody")
    for none in ("-1", "many"):
        said = refused(api, "admin", "limits", "default", f"--unfinished={none}")
        assert f"--unfinished: {none} is not a number from 0 on" in said


def test_what_tenants_have_spent_is_listed(api: Api, sandbox: Sandbox) -> None:
    caller = ReplicateCaller(api.url, token_for(api, "spender"))
    cost = caller.ended(caller.created()["id"])["metrics"]["cost_usd"]

    lines = admin(api, "admin", "spend").splitlines()

    (line,) = [each for each in lines if each.startswith("spender ")]
    assert line.split() == ["spender", "1", f"${cost:.2f}"]


def test_what_failed_before_it_was_sent_is_tried_again(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    nowhere = "http://127.0.0.1:9/picture.png"
    failed = caller.created("Again", input={"input_images": [nowhere]})["id"]
    with_key = {"input_images": [nowhere], "openai_api_key": "sk-made-up"}
    secret = caller.created("Its key is gone", input=with_key)["id"]
    assert caller.ended(failed)["status"] == caller.ended(secret)["status"] == "failed"

    said = admin(api, "admin", "requeue")

    assert failed in said
    assert secret not in said
    assert "1 predictions are queued again." in said
    assert "1 cannot be, since their secrets were removed when they ended." in said
    # The address leads nowhere still, so it ends as before: now by a new attempt.
    assert caller.ended(failed)["status"] == "failed"
    assert not sandbox.ledger


def test_all_that_a_tenant_has_left_is_removed(api: Api, kept: Kept, sandbox: Sandbox) -> None:
    before = kept.files(api.data)
    caller = ReplicateCaller(api.url, token_for(api, "leaving"))
    image = data_uri(picture())
    id = caller.created("Left behind", input={"input_images": [image]})["id"]
    caller.ended(id)
    assert len(kept.files(api.data)) == len(before) + 2

    said = admin(api, "admin", "purge", "leaving")

    assert said.strip() == "1 predictions and 2 files of leaving are gone."
    assert caller.get(f"predictions/{id}").status_code == 404
    assert kept.files(api.data) == before


def test_nobody_is_purged_while_predictions_run(api: Api, sandbox: Sandbox) -> None:
    caller = ReplicateCaller(api.url, token_for(api, "busy"))
    id = caller.created("[sandbox:slow seconds=20]")["id"]

    assert "busy has 1 unfinished predictions" in refused(api, "admin", "purge", "busy")
    caller.cancel(id)


def test_a_worker_that_drains_takes_nothing_more(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    (name, state, *_) = admin(api, "admin", "workers").split()
    assert state == "works"

    admin(api, "admin", "drain", name)

    assert admin(api, "admin", "workers").split()[1] == "drains"
    wait_until(lambda: "Draining: " in api.server.log if api.server else False)
    id = caller.created()["id"]
    time.sleep(1)
    assert caller.prediction(id)["status"] == "starting"
    assert not sandbox.ledger
    assert "There is no worker x" in refused(api, "admin", "drain", "x")
