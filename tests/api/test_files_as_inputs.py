"""Files of ours as inputs: read where they lie, by whoever may read them, without the network."""

import io
from typing import Any

import pytest
import requests

from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.replicate_caller import ReplicateCaller
from tests.support.cog_client import picture
from tests.support.sandbox_client import Sandbox


def upload(caller: ReplicateCaller, content: bytes) -> dict[str, Any]:
    form = {"content": ("picture.png", io.BytesIO(content), "image/png")}
    answer = caller.session.post(f"{caller.url}/v1/files", files=form, timeout=20)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def size_at_the_upstream(sandbox: Sandbox) -> int:
    (sent,) = sandbox.request.files
    return int(sent["size"])


@pytest.mark.parametrize("kind", ["get", "download"])
@pytest.mark.parametrize("root", ["", "https://other-name.invalid"])
def test_an_upload_is_read_where_it_lies_whatever_name_the_api_is_called_by(
    kind: str, root: str, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    content = picture(size=(640, 480))
    url = upload(caller, content)["urls"][kind]
    url = url.replace(caller.url, root) if root else url

    ended = caller.ended(caller.created(input={"input_images": [url]})["id"])

    assert ended["status"] == "succeeded", ended["error"]
    assert size_at_the_upstream(sandbox) == len(content)


def test_the_shown_input_leads_to_the_file_and_may_be_sent_again(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    content = picture(size=(640, 480))
    url = upload(caller, content)["urls"]["get"]
    first = caller.ended(caller.created(input={"input_images": [url]})["id"])
    (shown,) = first["input"]["input_images"]
    assert requests.get(shown, timeout=60).content == content
    sandbox.forget()

    second = caller.ended(caller.created(input={"input_images": [shown]})["id"])

    assert second["status"] == "succeeded", second["error"]
    assert size_at_the_upstream(sandbox) == len(content)


def test_another_tenants_upload_is_no_input_unless_its_address_is_signed(
    api: Api, caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    urls = upload(caller, picture())["urls"]
    other = ReplicateCaller(api.url, token_for(api, "other"))

    answer = other.create(body={"input": {"prompt": "a", "input_images": [urls["get"]]}})

    assert answer.status_code == 422
    assert "a file that you have uploaded" in answer.json()["detail"]
    assert not sandbox.requests
    shared = other.created(input={"input_images": [urls["download"]]})
    assert other.ended(shared["id"])["status"] == "succeeded"


def test_an_upload_that_was_deleted_is_refused_before_anything_is_paid(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    url = upload(caller, picture())["urls"]["get"]
    assert caller.session.delete(url, timeout=60).status_code == 204

    answer = caller.create(body={"input": {"prompt": "a", "input_images": [url]}})

    assert answer.status_code == 422
    assert answer.json()["invalid_fields"][0]["field"] == "input.input_images.0"
    assert not sandbox.requests
