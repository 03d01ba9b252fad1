"""Runware's tasks over HTTP, before Cog's real server."""

import base64
import io
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from dev.data_uris import data_uri
from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.replicate_caller import ReplicateCaller
from tests.api.runware_caller import Item, RunwareCaller, inference, task
from tests.support.cog_client import picture
from tests.support.loopback import file_server, upload_receiver, webhook_receiver
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def runware(api: Api, sandbox: Sandbox) -> RunwareCaller:
    """The first tenant; the sandbox has no requests recorded yet."""
    return RunwareCaller(api.url, api.token)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


# --- Pictures


def test_a_picture_has_all_that_clients_look_for(runware: RunwareCaller, sandbox: Sandbox) -> None:
    asked = inference(includeCost=True, safety={"checkContent": True})
    (item,) = runware.items(asked)

    assert item["taskUUID"] == asked["taskUUID"]
    assert isinstance(item["seed"], int)
    assert item["cost"] > 0
    assert item["NSFWContent"] is False
    assert opened(runware.picture(item)).format == "JPEG"
    sent = sandbox.request.arguments
    assert (sent["size"], sent["output_format"]) == ("1024x1024", "jpeg")
    assert sent["output_compression"] == 95


@pytest.mark.parametrize("place", ["providerSettings", "settings"])
def test_settings_count_in_their_older_and_newer_place(
    runware: RunwareCaller, sandbox: Sandbox, place: str
) -> None:
    wanted = {"quality": "low", "moderation": "low"}
    settings: Item = {place: {"openai": wanted} if place == "providerSettings" else wanted}
    runware.items(inference(**settings, outputFormat="WEBP", outputQuality=40))
    sent = sandbox.request.arguments
    assert (sent["quality"], sent["moderation"]) == ("low", "low")
    assert (sent["output_format"], sent["output_compression"]) == ("webp", 40)


@pytest.mark.parametrize("kind", ["base64Data", "dataURI"])
def test_pictures_come_within_the_answer(runware: RunwareCaller, kind: str) -> None:
    for item in runware.items(inference(outputType=kind, outputFormat="PNG", numberResults=2)):
        text = item["imageBase64Data"] if kind == "base64Data" else item["imageDataURI"]
        prefix = "data:image/png;base64," if kind == "dataURI" else ""
        assert text.startswith(prefix)
        content = base64.b64decode(text.removeprefix(prefix), validate=True)
        assert opened(content).size == (1024, 1024)


@pytest.mark.parametrize(("kind", "format"), [("JPG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP")])
def test_a_size_that_the_model_does_not_draw_is_scaled(
    runware: RunwareCaller, sandbox: Sandbox, kind: str, format: str
) -> None:
    (item,) = runware.items(inference(width=640, height=320, outputFormat=kind))
    shown = opened(runware.picture(item))
    assert (shown.format, shown.size) == (format, (640, 320))
    assert sandbox.request.arguments["output_format"] == "png"


def test_twenty_pictures_are_two_calls_and_one_task(
    runware: RunwareCaller, sandbox: Sandbox
) -> None:
    asked = inference(numberResults=20, deliveryMethod="async")
    (acknowledged,) = runware.items(asked)
    assert acknowledged == {"taskType": "imageInference", "taskUUID": asked["taskUUID"]}
    first = runware.response(asked["taskUUID"])["data"]
    done = runware.ended(asked["taskUUID"])["data"]

    assert len(first) == len(done) == 20
    ids = [item["imageUUID"] for item in done]
    assert len(set(ids)) == 20
    assert ids == [item["imageUUID"] for item in first]  # known before they were drawn
    assert {item["status"] for item in done} == {"success"}
    assert [request.arguments["n"] for request in sandbox.requests] == [10, 10]


def test_a_task_tells_what_it_was(runware: RunwareCaller, image_url: str) -> None:
    asked = inference(inputs={"referenceImages": [image_url]}, uploadEndpoint=image_url)
    (item,) = runware.items(asked)
    (details,) = runware.items({"taskType": "getTaskDetails", "taskUUID": asked["taskUUID"]})
    (request,) = details["request"]
    assert request["positivePrompt"] == asked["positivePrompt"]
    assert request["inputs"] == {"referenceImages": [image_url]}
    assert (request["width"], request["height"]) == (1024, 1024)
    assert "uploadEndpoint" not in request
    assert details["response"]["data"][0]["imageUUID"] == item["imageUUID"]


def test_an_address_lives_as_long_as_it_was_asked_to(runware: RunwareCaller) -> None:
    def expiry(item: Item) -> int:
        return int(item["imageURL"].split("/")[5])

    (short,), (usual,) = runware.items(inference(ttl=60)), runware.items(inference())
    assert 3000 < expiry(usual) - expiry(short) < 3600


# --- Pictures that callers bring


def test_references_come_in_every_form(
    runware: RunwareCaller, sandbox: Sandbox, image_url: str
) -> None:
    content = picture()
    encoded = base64.b64encode(content).decode()
    drawn, upload, media = (
        runware.items(inference())[0]["imageUUID"],
        runware.items(task("imageUpload", image=encoded))[0],
        runware.items(task("mediaStorage", operation="upload", media=image_url))[0],
    )
    assert runware.picture(upload) == content
    references = [
        *(drawn, upload["imageUUID"], media["mediaUUID"]),
        *(image_url, data_uri(content), encoded, upload["imageURL"]),
    ]
    runware.items(inference(inputs={"referenceImages": references}))
    sent = sandbox.requests[-1].files
    assert len(sent) == 7
    assert [part["size"] for part in sent[1:]] == [len(content)] * 6


def test_a_deleted_file_is_gone(runware: RunwareCaller) -> None:
    (media,) = runware.items(task("mediaStorage", operation="upload", media=data_uri(picture())))
    (gone,) = runware.items(task("mediaStorage", operation="delete", media=media["mediaUUID"]))
    assert gone["mediaUUID"] == media["mediaUUID"]
    assert requests.get(media["mediaURL"], timeout=20).status_code == 404
    refused = runware.error(inference(inputs={"referenceImages": [media["mediaUUID"]]}))
    assert refused["parameter"] == "inputs.referenceImages[0]"


@pytest.mark.parametrize(
    "reference",
    ["no picture!", "data:image/png;base64,@", "0d2c3c1e-6a55-4b0e-8a90-63a5b3f60f02"],
)
def test_a_reference_that_is_none_is_refused_before_anything_is_drawn(
    runware: RunwareCaller, sandbox: Sandbox, reference: str
) -> None:
    refused = runware.error(inference(inputs={"referenceImages": [reference]}))
    assert (refused["status"], refused["parameter"]) == (400, "inputs.referenceImages[0]")
    assert not sandbox.requests


def test_an_upload_that_cannot_be_fetched_is_told(runware: RunwareCaller) -> None:
    with file_server({}) as url:
        missing = runware.error(task("imageUpload", image=f"{url}/nothing"))
    assert missing["code"] == "downloadFailed"
    hidden = runware.error(task("imageUpload", image="http://169.254.169.254/latest"))
    assert hidden["code"] == "downloadFailed"


# --- What the end sends elsewhere


def test_each_picture_is_told_to_the_webhook_and_put_where_it_was_wanted(
    runware: RunwareCaller,
) -> None:
    with webhook_receiver() as webhooks, upload_receiver() as uploads:
        asked = inference(
            numberResults=2,
            deliveryMethod="async",
            webhookURL=webhooks.url,
            uploadEndpoint=f"{uploads.url}/picture.jpg",
        )
        runware.items(asked)
        done = runware.ended(asked["taskUUID"])["data"]
        told = [webhooks.wait_for(about(item)) for item in done]
        give_up = time.monotonic() + 60
        while "picture.jpg" not in uploads.files:
            assert time.monotonic() < give_up
            time.sleep(0.05)
    assert all(len(body["data"]) == 1 for body in told)
    assert uploads.files["picture.jpg"] in [runware.picture(item) for item in done]


def about(item: Item) -> Callable[[Item], bool]:
    return lambda body: body["data"][0]["imageUUID"] == item["imageUUID"]


def test_a_failure_is_told_to_the_webhook(runware: RunwareCaller) -> None:
    with webhook_receiver() as webhooks:
        asked = inference(
            "A fox [sandbox:moderation]", deliveryMethod="async", webhookURL=webhooks.url
        )
        runware.items(asked)
        body = webhooks.wait_for(lambda _: True)
    assert body["errors"][0]["code"] == "contentPolicyViolation"
    assert body["errors"][0]["taskUUID"] == asked["taskUUID"]


# --- The same task twice


def test_the_same_task_twice_is_drawn_once(runware: RunwareCaller, sandbox: Sandbox) -> None:
    asked = inference("A fox [sandbox:slow seconds=0.5]")
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: runware.items(asked), range(3)))
    assert len({items[0]["imageUUID"] for items in answers}) == 1
    assert runware.items(asked) == answers[0]
    assert len(sandbox.requests) == 1


def test_a_restart_forgets_no_task(api: Api, runware: RunwareCaller, sandbox: Sandbox) -> None:
    asked = inference("A fox [sandbox:slow seconds=5]", deliveryMethod="async", numberResults=2)
    runware.items(asked)
    # Killed before Cog has it, the API could not know whether it was sent, and would wait long.
    sandbox.wait_for(lambda entry: entry["received"])
    api.kill()
    api.start()
    assert runware.items(asked) == [{name: asked[name] for name in ("taskType", "taskUUID")}]
    # Cog tells of an end again after longer and longer pauses, if the API was away for long.
    assert len(runware.ended(asked["taskUUID"], within=180)["data"]) == 2
    assert len(sandbox.requests) == 1


def test_another_tenants_task_and_picture_are_not_found(api: Api, runware: RunwareCaller) -> None:
    asked = inference()
    (item,) = runware.items(asked)
    other = RunwareCaller(api.url, token_for(api, "another"))
    told = other.error({"taskType": "getResponse", "taskUUID": asked["taskUUID"]})
    assert (told["status"], told["code"]) == (404, "taskFailedOrNotFound")
    told = other.error(inference(inputs={"referenceImages": [item["imageUUID"]]}))
    assert told["parameter"] == "inputs.referenceImages[0]"
    assert other.items(asked)[0]["imageUUID"] != item["imageUUID"]  # a task of its own


def test_a_task_is_a_prediction_in_replicates_list_too(
    api: Api, runware: RunwareCaller, sandbox: Sandbox
) -> None:
    prompt = "A lighthouse for the list"
    (item,) = runware.items(inference(prompt))
    listed = ReplicateCaller(api.url, api.token).get("predictions").json()["results"]
    (found,) = [each for each in listed if each["input"].get("prompt") == prompt]
    assert found["status"] == "succeeded"
    assert requests.get(found["output"][0], timeout=20).content == runware.picture(item)


# --- Keys, bodies and errors


def test_a_key_may_come_as_a_task(api: Api, runware: RunwareCaller) -> None:
    del runware.session.headers["Authorization"]
    key = {"taskType": "authentication", "apiKey": api.token}
    for path in ("/v1", "/", "/v1/"):
        answer = runware.post(key, task("modelSearch"), path=path)
        assert answer.status_code == 200
        kinds = [item["taskType"] for item in answer.json()["data"]]
        assert kinds == ["authentication", "modelSearch"]


@pytest.mark.parametrize(
    "tasks",
    [[], [inference()], [task("authentication")], [task("authentication", apiKey=1)]],
    ids=["nothing", "no key", "an empty key", "a number"],
)
def test_without_a_key_nothing_is_done(
    runware: RunwareCaller, sandbox: Sandbox, tasks: list[Item]
) -> None:
    del runware.session.headers["Authorization"]
    assert runware.error(*tasks)["status"] in {400, 401}
    runware.session.headers["Authorization"] = "Bearer nobodys"
    assert runware.error(inference())["code"] == "invalidApiKey"
    assert not sandbox.requests


def test_without_a_key_a_body_is_small(api: Api, runware: RunwareCaller) -> None:
    large = "!" * (64 << 10)
    assert runware.error(inference(inputs={"referenceImages": [large]}))["parameter"]
    del runware.session.headers["Authorization"]
    key = {"taskType": "authentication", "apiKey": api.token, "and": large}
    assert runware.error(key)["status"] == 413


def test_errors_and_results_stand_side_by_side(runware: RunwareCaller) -> None:
    answer = runware.post(task("ping"), task("imageUpscale"), "no task", inference(width=17))
    assert answer.status_code == 200
    body = answer.json()
    assert body["data"] == [{"taskType": "ping", "pong": True}]
    codes = Counter(error["code"] for error in body["errors"])
    assert codes == {"invalidTaskType": 1, "invalidTask": 1, "invalidWidth": 1}


def test_what_fails_after_it_was_accepted_is_no_server_error(
    runware: RunwareCaller, sandbox: Sandbox
) -> None:
    """Clients would send it again."""
    refused = runware.error(inference("A fox [sandbox:unknown-parameter]", numberResults=2))
    assert refused["status"] == 400
    assert len(sandbox.requests) == 1
