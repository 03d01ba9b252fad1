"""Each quirk of a gateway, asked for by a prompt or always on."""

import base64
import io
import json

import pytest
import requests
from PIL import Image

from dev.servers import sandbox_server
from sandbox.gateway import QUIRKS
from tests.sandbox.conftest import Api, png, upload


def ask(api: Api, quirk: str, **fields: object) -> requests.Response:
    return api.generate(prompt=f"A fox [sandbox:{quirk}]", **fields)


def test_safety_identifier_is_echoed_unless_the_gateway_does_not_know_it(api: Api) -> None:
    assert api.generate(safety_identifier="user-7").json()["safety_identifier"] == "user-7"
    error = ask(api, "no-safety-identifier", safety_identifier="user-7").json()["error"]
    assert (error["code"], error["param"]) == ("unknown_parameter", "safety_identifier")


def test_moderation_is_unknown_on_edits_only(api: Api) -> None:
    prompt = "[sandbox:no-moderation-on-edits] x"
    error = api.edit([upload(png())], prompt=prompt, moderation="low").json()["error"]
    assert (error["code"], error["param"]) == ("unknown_parameter", "moderation")
    assert api.generate(prompt=prompt, moderation="low").status_code == 200


def test_usage_and_created_can_be_left_out(api: Api) -> None:
    assert "usage" not in ask(api, "no-usage").json()
    assert "created" not in ask(api, "no-created").json()
    usage = ask(api, "no-usage-details").json()["usage"]
    assert set(usage) == {"input_tokens", "output_tokens", "total_tokens"}


def test_errors_are_rewritten_but_keep_their_code(api: Api) -> None:
    error = ask(api, "rewrites-errors", size="bogus").json()["error"]
    assert error["type"] == "new_api_error"
    assert error["code"] == "invalid_value"
    assert "(request id: " in error["message"]


def test_jpeg_is_called_jpg(api: Api) -> None:
    assert ask(api, "says-jpg", output_format="jpeg").json()["output_format"] == "jpg"


def test_size_is_ignored(api: Api) -> None:
    answer = ask(api, "ignores-size", size="1536x1024").json()
    assert answer["size"] == "1024x1024"


def test_slashes_are_escaped_and_the_json_means_the_same(api: Api) -> None:
    text = ask(api, "escapes-slashes").text
    assert r"\/" in text
    assert "/" not in text.replace(r"\/", "")
    data = base64.b64decode(json.loads(text)["data"][0]["b64_json"], validate=True)
    assert Image.open(io.BytesIO(data)).size == (1024, 1024)


def test_white_space_comes_while_the_work_goes_on(api: Api) -> None:
    answer = ask(api, "keep-alive] [sandbox:slow seconds=3")
    assert answer.text.startswith(" \n \n \n")
    assert answer.json()["data"]
    assert answer.elapsed.total_seconds() < 2.5


def test_base64_comes_with_a_prefix_and_line_breaks(api: Api) -> None:
    value = ask(api, "wraps-base64").json()["data"][0]["b64_json"]
    assert value.startswith("data:image/png;base64,")
    assert "\r\n" in value


def test_quirks_can_be_always_on() -> None:
    with sandbox_server(SANDBOX_GATEWAY="no-usage,no-created") as server:
        api = Api(server.url)
        with api.http:
            assert not {"usage", "created"} & set(api.generate().json())


def test_a_proxys_key_is_the_only_one_accepted() -> None:
    with sandbox_server(SANDBOX_REQUIRED_KEY="test-key-proxy") as server:
        api = Api(server.url)
        with api.http:
            assert api.generate().status_code == 401
            api.http.headers["Authorization"] = "Bearer test-key-proxy"
            assert api.generate().status_code == 200


def test_every_quirk_has_a_name_that_a_prompt_can_say() -> None:
    assert len(QUIRKS) == 11
    assert all(does and name.replace("-", "").isalnum() for name, does in QUIRKS.items())


@pytest.mark.parametrize("setting", ["SANDBOX_GATEWAY", "SANDBOX_FAULTS"])
def test_a_misspelt_name_in_a_setting_stops_the_start(setting: str) -> None:
    with (
        pytest.raises(Exception, match="no-such-thing"),
        sandbox_server(**{setting: "no-such-thing"}),
    ):
        pass
