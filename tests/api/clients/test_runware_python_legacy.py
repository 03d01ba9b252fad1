"""PyPI runware 0.5.24, whose calls are synchronous by default, and which knows WebSockets alone."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.clients.cutting import cut_in_mid_job
from tests.api.clients.published import Client, Server, python_client
from tests.support.cog_client import picture
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

PRELUDE = """
import asyncio, uuid
from runware import IImageInference, Runware

def asked(prompt="A fox", **more):
    return IImageInference(
        model="openai:gpt-image@2", positivePrompt=prompt, width=1024, height=1024, **more
    )

async def connected():
    client = Runware(api_key=given["key"], url=given["url"])
    await client.connect()
    return client

def told_of(image):
    return [image.taskUUID, image.imageUUID, image.imageURL, image.cost]
"""


@pytest.fixture(scope="session")
def legacy() -> Client:
    return python_client("runware-0", "", "runware")


@pytest.fixture(scope="module")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pictures") / "picture.png"
    file.write_bytes(picture())
    return file


def run(client: Client, program: str, server: Server, **given: Any) -> Any:
    url = server.url.replace("http", "ws") + "/v1"
    return client.run(PRELUDE + program, server, **{"url": url, "key": server.token} | given)


def test_pictures_come_at_once_and_later(legacy: Client, server: Server, sandbox: Sandbox) -> None:
    two, later = run(
        legacy,
        """
async def main():
    client = await connected()
    two = await client.imageInference(requestImage=asked(numberResults=2, includeCost=True))
    task = await client.imageInference(requestImage=asked(deliveryMethod="async"))
    later = await client.getResponse(taskUUID=task.taskUUID)
    tell([[told_of(each) for each in two], [[task.taskUUID], told_of(later[0])]])
    await client.disconnect()

asyncio.run(main())
""",
        server,
    )
    assert len({uuid for _, uuid, _, _ in two}) == 2
    assert all(url.startswith(server.url) and cost > 0 for _, _, url, cost in two)
    assert later[0][0] == later[1][0]
    assert [request.arguments["n"] for request in sandbox.requests] == [2, 1]


def test_a_picture_is_uploaded_and_stands_in_another(
    legacy: Client, server: Server, sandbox: Sandbox, picture_file: Path
) -> None:
    uploaded, fresh = run(
        legacy,
        """
async def main():
    client = await connected()
    upload = await client.uploadImage(given["file"])
    media = await client.uploadMedia(given["file"])
    references = [upload.imageUUID, media.mediaUUID, given["file"]]
    images = await client.imageInference(requestImage=asked(referenceImages=references))
    again = await client.imageInference(requestImage=asked(referenceImages=[images[0].imageUUID]))
    tell([upload.imageURL, again[0].imageURL])
    await client.disconnect()

asyncio.run(main())
""",
        server,
        file=str(picture_file),
    )
    assert uploaded.startswith(server.url)
    assert fresh.startswith(server.url)
    first, second = sandbox.requests
    assert [part["size"] for part in first.files] == [picture_file.stat().st_size] * 3
    assert len(second.files) == 1


def test_a_bad_key_and_a_taken_uuid_are_told(
    legacy: Client, server: Server, sandbox: Sandbox
) -> None:
    conflict, refused = run(
        legacy,
        """
async def main():
    client = await connected()
    id = str(uuid.uuid4())
    told = []
    await client.imageInference(requestImage=asked(taskUUID=id))
    try:
        await client.imageInference(requestImage=asked(taskUUID=id))
    except Exception as error:
        told.append(str(error))
    await client.disconnect()
    given["key"] = "a-key-that-nobody-has"
    client = Runware(api_key=given["key"], url=given["url"])
    try:
        await client.connect()
        await client.imageInference(requestImage=asked())
    except Exception as error:
        told.append(str(error))
    tell(told)
    sys.stdout.flush()
    os._exit(0)  # it would go on trying to connect

asyncio.run(main())
""",
        server,
    )
    assert "conflictTaskUUID" in conflict
    assert "Invalid API key" in refused
    assert len(sandbox.requests) == 1


def test_a_job_whose_connection_is_cut_is_found_again_and_paid_for_once(
    legacy: Client, server: Server, sandbox: Sandbox
) -> None:
    with cut_in_mid_job(server.url, sandbox) as address:
        told = run(
            legacy,
            """
async def main():
    client = await connected()
    slow = asked("A fox [sandbox:slow seconds=2]")
    images = await client.imageInference(requestImage=slow)
    tell([told_of(each) for each in images])
    await client.disconnect()

asyncio.run(main())
""",
            server,
            url=address.replace("http", "ws") + "/v1",
        )
    assert len(told) == 1
    assert len(sandbox.requests) == 1
