"""PyPI runware-sdk 1.8.0, over WebSocket and over HTTP; its calls are asynchronous by default."""

from typing import Any

import pytest

from tests.api.clients.cutting import cut_in_mid_job
from tests.api.clients.front import front_of
from tests.api.clients.published import Client, Server, python_client
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

PRELUDE = """
import asyncio, uuid
from runware import Runware, RunwareError

def client(**more):
    options = {
        "api_key": given["key"],
        "transport": given["transport"],
        "ws_base_url": given["url"].replace("http", "ws", 1) + "/v1",
        "http_base_url": given["url"] + "/v1",
    }
    return Runware(**options | more)

def asked(prompt="A fox", **more):
    return {
        "taskType": "imageInference",
        "model": "openai:gpt-image@2",
        "positivePrompt": prompt,
        "width": 1024,
        "height": 1024,
    } | more

async def code_of(call):
    try:
        await call
    except RunwareError as error:
        return [error.code, str(error)]
"""
each_transport = pytest.mark.parametrize("transport", ["websocket", "rest"])


@pytest.fixture(scope="session")
def sdk() -> Client:
    return python_client("runware-sdk", "", "runware")


def run(client: Client, program: str, server: Server, transport: str, **given: Any) -> Any:
    told = {"url": server.url, "key": server.token, "transport": transport}
    return client.run(PRELUDE + program, server, **told | given)


@each_transport
def test_pictures_uploads_references_and_utilities(
    sdk: Client, server: Server, sandbox: Sandbox, transport: str
) -> None:
    told = run(
        sdk,
        """
async def main():
    async with client() as runware:
        two, at_once = await asyncio.gather(
            runware.run(asked(numberResults=2, includeCost=True)),
            runware.run(asked(deliveryMethod="sync", outputType="base64Data")),
        )
        upload, = await runware.image_upload({"image": given["picture"]})
        media, = await runware.media_storage({"operation": "upload", "media": given["picture"]})
        ids = [upload["imageUUID"], media["mediaUUID"], at_once[0]["imageUUID"], given["picture"]]
        edited = await runware.run(asked(inputs={"referenceImages": ids}, deliveryMethod="sync"))
        details, = await runware.get_task_details({"taskUUID": two[0]["taskUUID"]})
        models, = await runware.model_search({"search": "gpt"})
        account, = await runware.account_management({"operation": "getDetails"})
        tell({
            "two": two,
            "kind": at_once[0]["imageBase64Data"][:4],
            "edited": [each["imageURL"] for each in edited],
            "details": [details["request"][0]["numberResults"], len(details["response"]["data"])],
            "models": [each["air"] for each in models["results"]],
            "account": account["organizationName"],
        })

asyncio.run(main())
""",
        server,
        transport,
        picture=data_uri(picture()),
    )
    assert len({each["imageUUID"] for each in told["two"]}) == 2
    assert all(each["status"] == "success" and each["cost"] > 0 for each in told["two"])
    assert told["kind"] == "/9j/"  # a JPEG
    assert len(told["edited"]) == 1
    assert told["details"] == [2, 2]
    assert told["models"] == ["openai:gpt-image@2"]
    assert told["account"] == "default"
    assert sorted(len(request.files) for request in sandbox.requests) == [0, 0, 4]


@each_transport
def test_errors_have_their_classes(
    sdk: Client, server: Server, sandbox: Sandbox, transport: str
) -> None:
    told = run(
        sdk,
        """
async def main():
    async with client() as runware:
        told = [
            await code_of(runware.run(asked(width=17))),
            await code_of(runware.run(asked("A fox [sandbox:moderation]"))),
            await code_of(runware.get_response({"taskUUID": str(uuid.uuid4())})),
        ]
    async def with_a_bad_key():
        async with client(api_key="a-key-that-nobody-has") as runware:
            await runware.run(asked())
    tell([*told, await code_of(with_a_bad_key())])

asyncio.run(main())
""",
        server,
        transport,
    )
    assert [code for code, _ in told] == ["validation", "safety", "notFound", "auth"]
    assert "16 to 3840" in told[0][1]
    assert len(sandbox.requests) == 1


def test_a_taken_uuid_is_a_conflict_over_a_websocket_and_the_same_task_over_http(
    sdk: Client, server: Server, sandbox: Sandbox
) -> None:
    program = """
async def main():
    async with client() as runware:
        task = asked(taskUUID=given["id"], deliveryMethod="sync")
        first = await runware.run(task)
        try:
            again = await runware.run(task)
        except RunwareError as error:
            tell(error.code)
        else:
            tell([first[0]["imageUUID"] == again[0]["imageUUID"]])

asyncio.run(main())
"""
    ids = ["6f1c04e5-7f37-4cf0-9b0e-5d7d6f3f0c01", "6f1c04e5-7f37-4cf0-9b0e-5d7d6f3f0c02"]
    assert run(sdk, program, server, "websocket", id=ids[0]) == "validation"
    assert run(sdk, program, server, "rest", id=ids[1]) == [True]
    assert len(sandbox.requests) == 2


SLOW = """
async def main():
    async with client() as runware:
        images = await runware.run(asked("A fox [sandbox:slow seconds=2]", **given["more"]))
        tell([each["imageURL"] for each in images])

asyncio.run(main())
"""


def test_a_websocket_that_is_cut_in_mid_job_finds_its_result(
    sdk: Client, server: Server, sandbox: Sandbox
) -> None:
    with cut_in_mid_job(server.url, sandbox) as address:
        told = run(sdk, SLOW, server, "websocket", url=address, more={})
    assert len(told) == 1
    assert len(sandbox.requests) == 1


def test_a_request_whose_answer_is_cut_off_is_sent_again_and_paid_for_once(
    sdk: Client, server: Server, sandbox: Sandbox
) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 2
        url, more = f"http://127.0.0.1:{front.port}", {"deliveryMethod": "sync"}
        told = run(sdk, SLOW, server, "rest", url=url, more=more)
        assert front.posts_to_cut == 0
    assert len(told) == 1
    assert len(sandbox.requests) == 1
