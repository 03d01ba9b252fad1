"""OpenAI's dialect: what is asked reaches the upstream, and its answers are OpenAI's."""

import hashlib
import http.client
import json
from contextlib import closing
from typing import Any

import pytest
import requests

from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.kept import Kept
from tests.api.openai_caller import MODEL, OpenAICaller, events, pictures
from tests.api.replicate_caller import ReplicateCaller
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def openai(api: Api, sandbox: Sandbox) -> OpenAICaller:
    """The first tenant; the sandbox has no requests recorded yet."""
    return OpenAICaller(api.url, api.token)


def png() -> tuple[str, bytes, str]:
    return ("a.png", picture(), "image/png")


def test_a_generation_has_openais_defaults(openai: OpenAICaller, sandbox: Sandbox) -> None:
    answer = openai.generate()

    (drawn,) = pictures(answer)
    assert drawn.format == "PNG"
    asked = sandbox.request.arguments
    assert (asked["size"], asked["quality"], asked["n"]) == ("auto", "auto", 1)
    body = answer.json()
    assert requests.get(body["data"][0]["url"], timeout=60).content[1:4] == b"PNG"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert body["meta"]["usage"]["usd_spent"] > 0
    assert body["output_format"] == "png"
    assert "quality" not in body  # nobody knows what auto became


def test_the_model_with_its_owner_has_aimls_defaults(
    openai: OpenAICaller, sandbox: Sandbox
) -> None:
    body = openai.generate(model=f"openai/{MODEL}").json()

    asked = sandbox.request.arguments
    assert (asked["size"], asked["quality"]) == ("1024x1024", "medium")
    assert body["data"][0].keys() == {"url"}
    assert (body["size"], body["quality"]) == ("1024x1024", "medium")


@pytest.mark.parametrize(("wanted", "keys"), [("url", {"url"}), ("b64_json", {"b64_json"})])
def test_no_picture_has_a_key_that_nobody_asked_for(
    openai: OpenAICaller, wanted: str, keys: set[str]
) -> None:
    body = openai.generate(response_format=wanted, style="vivid", n=None).json()

    assert [each.keys() for each in body["data"]] == [keys]


def test_everything_that_is_asked_reaches_the_upstream(
    openai: OpenAICaller, sandbox: Sandbox
) -> None:
    answer = openai.generate(
        size="1536x1024",
        quality="low",
        n=3,
        output_format="jpeg",
        output_compression=70,
        moderation="low",
        background="opaque",
        user="user-7",
    )

    assert [each.size for each in pictures(answer)] == [(1536, 1024)] * 3
    asked = sandbox.request.arguments
    assert asked["safety_identifier"] == "user-7"
    expected = {"n": 3, "output_compression": 70, "moderation": "low", "background": "opaque"}
    assert {name: asked[name] for name in expected} == expected


def test_a_callers_own_key_pays(openai: OpenAICaller, sandbox: Sandbox) -> None:
    key = "sk-of-the-caller"
    assert openai.generate(headers={"X-OpenAI-Api-Key": key}).ok

    assert sandbox.request.headers["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_a_form_edits_files_as_they_are(openai: OpenAICaller, sandbox: Sandbox, name: str) -> None:
    files = [picture(kind) for kind in ("PNG", "JPEG", "WEBP")]
    parts = [(name, ("upload", file, "application/octet-stream")) for file in files]

    (drawn,) = pictures(openai.edit(parts, n="1", output_format="webp", output_compression="50"))

    assert drawn.format == "WEBP"
    assert sandbox.request.path == "/v1/images/edits"
    assert sandbox.request.arguments["output_compression"] == "50"
    sent = [part["sha256"] for part in sandbox.request.files]
    assert sent == [hashlib.sha256(file).hexdigest() for file in files]


def test_json_edits_pictures_by_address_data_and_file(
    openai: OpenAICaller, sandbox: Sandbox, image_url: str
) -> None:
    upload = openai.session.post(
        f"{openai.url}/v1/files", files={"content": png()}, timeout=20
    ).json()
    images = [
        {"image_url": image_url},
        {"image_url": data_uri(picture("JPEG"))},
        {"file_id": upload["id"]},
    ]
    body = {"model": MODEL, "prompt": "At night", "images": images}

    assert len(pictures(openai.post("edits", json=body))) == 1
    assert len(sandbox.request.files) == 3


@pytest.mark.parametrize(
    ("asked", "param", "code", "said"),
    [
        ({"model": None}, "model", "missing_required_parameter", "gpt-image-2"),
        ({"model": "dall-e-3"}, "model", "invalid_value", "gpt-image-2"),
        ({"prompt": None}, "prompt", "missing_required_parameter", "prompt"),
        ({"prompt": 7}, "prompt", "invalid_type", "string"),
        ({"n": 11}, "n", "integer_above_max_value", "10"),
        ({"n": "2"}, "n", "invalid_type", "integer"),
        ({"quality": "hd"}, "quality", "invalid_value", "high"),
        ({"size": "1920x1088"}, "size", "invalid_value", "extended"),
        ({"output_compression": 50}, "output_compression", None, "png"),
        ({"response_format": "file"}, "response_format", "invalid_value", "b64_json"),
        ({"stream": "yes"}, "stream", "invalid_type", "true"),
        ({"mask": {"file_id": "x"}}, "mask", "unsupported_parameter", "extended"),
        ({"complexity": "low"}, "complexity", "unsupported_parameter", "extended"),
        ({"image": "data:,"}, "image", "unknown_parameter", "/v1/images/edits"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_wrong_parameter_is_named_before_anything_is_paid(
    openai: OpenAICaller,
    sandbox: Sandbox,
    asked: dict[str, Any],
    param: str,
    code: str | None,
    said: str,
) -> None:
    answer = openai.generate(**asked)

    assert answer.status_code == 400
    body = answer.json()
    assert body["error"]["param"] == param
    assert code in {None, body["error"]["code"]}
    assert said in body["error"]["message"]
    assert body["message"] == body["error"]["message"]
    assert body["statusCode"] == 400
    assert body["requestId"] == answer.headers["x-request-id"]
    assert sandbox.requests == []


def test_an_edit_needs_an_image_and_takes_at_most_16(openai: OpenAICaller) -> None:
    other = openai.edit([("images", png())])
    none = openai.post("edits", json={"model": MODEL, "prompt": "At night", "images": []})
    many = openai.edit([("image[]", png())] * 17)

    assert other.json()["error"]["code"] == "unknown_parameter"
    assert none.json()["error"]["code"] == "missing_required_parameter"
    assert many.json()["error"]["code"] == "array_above_max_length"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "text/plain"}, b"x", 415),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"--b\r\n", 400),
        ({"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "gzip"}, b"", 415),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n' * 100 + b"--b--\r\n",
            400,
        ),
    ],
    ids=["cut JSON", "no form", "cut form", "compressed", "many parts"],
)
def test_a_broken_edit_is_refused(
    openai: OpenAICaller, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = openai.post("edits", data=body, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_mask_is_refused_by_a_model_that_takes_none(
    openai: OpenAICaller, sandbox: Sandbox
) -> None:
    answer = openai.edit([("image", png()), ("mask", png())])

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "mask"
    assert sandbox.requests == []


def test_what_was_accepted_and_failed_is_a_400_that_nobody_repeats(openai: OpenAICaller) -> None:
    blocked = openai.generate("A fox [sandbox:moderation]")
    broken = openai.generate("A fox [sandbox:502-html]")

    for answer in (blocked, broken):
        assert answer.status_code == 400
        assert answer.headers["x-should-retry"] == "false"
    assert blocked.json()["error"]["code"] == "moderation_blocked"
    empty = openai.generate(" ").json()["error"]
    assert empty["type"] == "image_generation_user_error"
    assert "may have been billed" in broken.json()["message"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_stream_has_a_completed_event_for_each_picture(openai: OpenAICaller, count: int) -> None:
    answer = openai.generate(stream=True, partial_images=2, n=count, size="1024x1024")

    assert answer.status_code == 200
    assert answer.text.startswith(":")
    told = events(answer)
    assert [each["type"] for each in told] == ["image_generation.completed"] * count
    assert all(each["b64_json"] and each["size"] == "1024x1024" for each in told)
    assert told[-1]["usage"]["output_tokens"] > 0
    edited = openai.edit([("image", png())], stream="true")
    assert [each["type"] for each in events(edited)] == ["image_edit.completed"]


def test_a_stream_tells_of_a_failure(openai: OpenAICaller) -> None:
    (told,) = events(openai.generate("A fox [sandbox:moderation]", stream=True))

    assert told["type"] == "error"
    assert told["error"]["code"] == "moderation_blocked"


@pytest.mark.long
def test_a_stream_is_never_silent_for_long(openai: OpenAICaller) -> None:
    answer = openai.generate("A fox [sandbox:slow seconds=11]", stream=True)

    assert len([line for line in answer.text.split("\n") if line.startswith(":")]) >= 2
    assert len(events(answer)) == 1


def test_a_client_that_says_it_repeats_gets_the_same_pictures(
    openai: OpenAICaller, sandbox: Sandbox
) -> None:
    again = {"x-stainless-retry-count": "1"}
    first = openai.generate("Told")
    second = openai.generate("Told", headers=again)
    assert second.json()["data"][0]["b64_json"] == first.json()["data"][0]["b64_json"]
    # Each form has another boundary.
    edits = [openai.edit([("image", png())], headers=each) for each in (None, again)]
    assert edits[0].headers["x-request-id"] == edits[1].headers["x-request-id"]
    other = openai.edit([("image", ("a.png", picture("JPEG"), "image/png"))], headers=again)
    assert other.headers["x-request-id"] != edits[0].headers["x-request-id"]

    assert len(sandbox.ledger) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_was_cut_off_gets_the_first_prediction(
    openai: OpenAICaller, sandbox: Sandbox, stream: bool
) -> None:
    prompt = f"Cut off [sandbox:slow seconds=1] {stream}"
    body = json.dumps({"model": MODEL, "prompt": prompt, "stream": stream})
    connection = http.client.HTTPConnection(openai.url.removeprefix("http://"), timeout=30)
    with closing(connection):
        headers = {"Authorization": f"Bearer {openai.token}"}
        connection.request("POST", "/v1/images/generations", body, headers)
        sandbox.wait_for(lambda entry: entry["received"])

    assert openai.post("generations", data=body).ok
    assert len(sandbox.ledger) == 1


def test_models_are_listed_for_both_dialects(openai: OpenAICaller) -> None:
    for path in ("/v1/models", "/models", "/api/v1/models"):
        listed = openai.get(path).json()
        assert listed["object"] == "list"
        assert [each["id"] for each in listed["data"]] == [MODEL, f"openai/{MODEL}"]
    assert ReplicateCaller(openai.url, openai.token).get("models").json()["results"]
    for path in (f"/v1/models/{MODEL}", f"/v1/models/openai%2F{MODEL}"):
        assert openai.get(path).json()["object"] == "model"
    assert openai.get(f"/model/openai/{MODEL}").json()["data"]["owned_by"] == "openai"
    assert openai.get("/v1/models/dall-e-3").json()["error"]["code"] == "model_not_found"


def test_a_wrong_token_and_a_wrong_path_are_openais_errors(openai: OpenAICaller) -> None:
    stranger = OpenAICaller(openai.url, "sk-wrong")
    assert stranger.generate().status_code == 401
    assert stranger.edit([("image", png())]).json()["error"]["code"] == "invalid_api_key"
    assert openai.post("variations").json()["error"]["type"] == "invalid_request_error"


def test_a_limit_says_when_to_come_again(api: Api, kept: Kept) -> None:
    token = token_for(api, "hurried")
    kept.limit(api.data, "hurried", creates_per_minute=1)
    hurried = OpenAICaller(api.url, token)
    assert hurried.generate(size="9x9").status_code == 400

    answer = hurried.generate()

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_nothing_of_a_refused_edit_is_kept(api: Api, kept: Kept, openai: OpenAICaller) -> None:
    before = kept.files(api.data)
    wishes: list[dict[str, Any]] = [{"n": "eleven"}, {"size": "9x9"}]
    for wrong in wishes:
        assert openai.edit([("image", png())], **wrong).status_code == 400
    assert kept.files(api.data) == before
