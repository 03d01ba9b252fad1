"""Creating predictions, waiting for them, and looking at them: as Replicate's clients need it."""

import base64
import re
import time

import pytest

from tests.api.replicate_caller import MODEL, ReplicateCaller
from tests.support.cog_client import picture
from tests.support.sandbox_client import Sandbox

SLOW = "A slow lighthouse [sandbox:slow seconds=20]"
ID = re.compile("[0-9a-hjkmnp-tv-z]{26}")


@pytest.mark.quick
def test_a_prediction_is_created_runs_and_shows_its_picture(caller: ReplicateCaller) -> None:
    created = caller.created()

    assert ID.fullmatch(created["id"])
    assert created["status"] == "starting"
    assert created["output"] is None
    ended = caller.ended(created["id"])
    assert ended["status"] == "succeeded"
    assert ended["error"] is None
    assert ended["model"] == MODEL
    (picture,) = ended["output"]
    assert picture.startswith("data:image/webp;base64,")
    assert base64.b64decode(picture.partition(",")[2])[8:12] == b"WEBP"
    assert ended["metrics"]["output_token_count"] == 196
    assert ended["metrics"]["predict_time"] <= ended["metrics"]["total_time"]
    assert f"Sid {created['id']}" in ended["logs"]


def test_what_a_client_reads_is_always_there(caller: ReplicateCaller) -> None:
    created = caller.created()

    required = {"id", "model", "version", "input", "output", "data_removed", "error", "status"}
    assert required | {"created_at", "urls", "source", "logs"} <= created.keys()
    assert None not in created["urls"].values()
    assert created["urls"]["get"] == f"{caller.url}/v1/predictions/{created['id']}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created["created_at"])
    assert not created["data_removed"]


def test_a_caller_who_waits_gets_the_picture_at_once(caller: ReplicateCaller) -> None:
    answer = caller.create(Prefer="wait")

    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait"
    assert answer.json()["status"] == "succeeded"
    assert answer.json()["output"]


@pytest.mark.parametrize("prefer", ["wait=1", "respond-async, wait=1", "wait=1; foo=bar"])
def test_when_the_wait_is_over_the_status_is_starting(caller: ReplicateCaller, prefer: str) -> None:
    started = time.monotonic()
    answer = caller.create(SLOW, Prefer=prefer)

    assert 0.9 < time.monotonic() - started < 15
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=1"
    # Every client polls only while it says so.
    assert answer.json()["status"] == "starting"
    assert answer.json()["output"] is None
    assert caller.prediction(answer.json()["id"])["status"] == "processing"
    caller.cancel(answer.json()["id"])


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=1.5", "wait=soon"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(
    caller: ReplicateCaller, prefer: str
) -> None:
    assert caller.create(Prefer=prefer).status_code == 422


def test_a_failure_is_told_as_a_string(caller: ReplicateCaller) -> None:
    ended = caller.ended(caller.created("A lighthouse [sandbox:moderation]")["id"])

    assert ended["status"] == "failed"
    assert ended["error"].startswith("ModerationBlocked: ")
    assert ended["output"] is None


def test_several_pictures_come_in_the_models_order(caller: ReplicateCaller) -> None:
    ended = caller.ended(caller.created(input={"number_of_images": 4})["id"])

    listed = caller.get("predictions").json()["results"][0]["output"]
    assert len(ended["output"]) == 4
    assert [re.sub(r".*-(\d)\.webp", r"\1", address) for address in listed] == list("0123")


def test_a_version_a_deployment_and_a_model_name_the_same_model(
    caller: ReplicateCaller,
) -> None:
    version = caller.get(f"models/{MODEL}").json()["latest_version"]["id"]

    for name in (MODEL, f"{MODEL}:{version}", version):
        body = {"version": name, "input": {"prompt": "a"}}
        answer = caller.post("predictions", body)
        assert answer.status_code == 201, name
        assert answer.json()["version"] == version


@pytest.mark.parametrize("version", ["0" * 64, "acme/other", f"{MODEL}:{'0' * 64}", "acme/b:c"])
def test_an_unknown_version_is_refused_as_replicate_does(
    caller: ReplicateCaller, version: str
) -> None:
    answer = caller.post("predictions", {"version": version, "input": {"prompt": "a"}})

    assert answer.status_code == 422
    assert answer.json()["title"] == "Invalid version or not permitted"


def test_an_unknown_model_is_not_found(caller: ReplicateCaller) -> None:
    assert caller.post("models/acme/other/predictions", {"input": {}}).status_code == 404
    assert caller.post("deployments/acme/x/predictions", {"input": {}}).status_code == 404
    assert caller.get("models/acme/other").status_code == 404
    assert caller.get("predictions/unknown").status_code == 404


@pytest.mark.parametrize("path", ["v1/v1/predictions", "v1/predictions/", "v1/v1/predictions/"])
def test_paths_work_as_clients_write_them(caller: ReplicateCaller, path: str) -> None:
    assert caller.get(f"{caller.url}/{path}").status_code == 200


def test_the_list_is_newest_first_and_pages_by_absolute_addresses(
    caller: ReplicateCaller,
) -> None:
    ids = [caller.created(f"Lighthouse {number}")["id"] for number in range(3)]

    page = caller.get("predictions").json()
    assert [each["id"] for each in page["results"][:3]] == ids[::-1]
    assert page["previous"] is None
    before = page["results"][0]["created_at"]
    older = caller.get("predictions?" + f"created_before={before}").json()
    assert ids[2] not in [each["id"] for each in older["results"]]
    assert caller.get("predictions?created_before=yesterday").status_code == 422
    assert caller.get("predictions?cursor=made-up").status_code == 400
    assert caller.get("predictions?source=web").json()["results"] == []


def test_models_versions_account_hardware_and_secret_are_what_clients_need(
    caller: ReplicateCaller,
) -> None:
    model = caller.get(f"models/{MODEL}").json()
    assert isinstance(model["run_count"], int)
    version = model["latest_version"]
    assert re.fullmatch("[0-9a-f]{64}", version["id"])
    assert isinstance(version["cog_version"], str)
    assert "prompt" in version["openapi_schema"]["components"]["schemas"]["Input"]["properties"]
    assert caller.get(f"models/{MODEL}/versions").json()["results"] == [version]
    assert caller.get(f"models/{MODEL}/versions/{version['id']}").json() == version
    assert caller.get(f"models/{MODEL}/versions/{'0' * 64}").status_code == 404
    assert caller.get("models").json()["results"] == [model]
    assert caller.session.request("QUERY", f"{caller.url}/v1/models", data="gpt").json()["results"]
    assert caller.get(f"models/{MODEL}/readme").headers["content-type"].startswith("text/plain")
    assert caller.get(f"models/{MODEL}/examples").json()["results"] == []
    assert caller.get("account").json()["name"]
    assert {"name", "sku"} <= caller.get("hardware").json()[0].keys()
    assert re.fullmatch(
        "whsec_[A-Za-z0-9+/]+=*", caller.get("webhooks/default/secret").json()["key"]
    )


def test_what_the_ai_sdk_sends_is_understood(caller: ReplicateCaller, sandbox: Sandbox) -> None:
    image = "data:image/png;base64," + base64.b64encode(picture()).decode()
    sent = {"image": image, "num_outputs": 1, "size": "1024x1536", "output_format": "jpg"}
    ended = caller.ended(caller.created(input={**sent, "aspect_ratio": None, "seed": 7})["id"])

    assert ended["status"] == "succeeded", ended["error"]
    assert ended["output"][0].startswith("data:image/jpeg")
    assert sandbox.request.path == "/v1/images/edits"
    assert sandbox.request.arguments["size"] == "1024x1536"


def test_the_ai_sdks_look_is_held_for_a_moment(caller: ReplicateCaller) -> None:
    id = caller.created(SLOW)["id"]
    started = time.monotonic()
    caller.get(f"predictions/{id}", **{"User-Agent": "ai/5 ai-sdk/replicate/3.0.46"})

    assert 1.5 < time.monotonic() - started < 15
    caller.cancel(id)
