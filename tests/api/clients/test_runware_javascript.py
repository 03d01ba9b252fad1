"""npm @runware/sdk-js 1.3.2 over WebSocket, and @runware/ai-sdk-provider 2.0.0 over HTTP."""

from typing import Any

import pytest

from tests.api.clients.cutting import cut_in_mid_job
from tests.api.clients.front import front_of
from tests.api.clients.published import Client, Server, javascript_clients
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

SDK = """
import { RunwareServer } from "@runware/sdk-js";
const connected = (more = {}) => {
    const url = given.url.replace("http", "ws") + "/v1";
    return RunwareServer.initialize({ apiKey: env.REPLICATE_API_TOKEN, url, ...more });
};
const asked = (more = {}) => ({
    model: "openai:gpt-image@2", positivePrompt: "A fox", width: 1024, height: 1024, ...more,
});
const refused = (promise) => promise.then(() => "done", (error) => error.error ?? String(error));
"""
AI_SDK = """
import { createRunware } from "@runware/ai-sdk-provider";
import { generateImage } from "ai";
const runware = (more = {}) => createRunware({
    apiKey: env.REPLICATE_API_TOKEN, baseURL: given.url + "/v1", ...more,
});
const model = (settings, more) => runware(more).image("openai:gpt-image@2", settings);
const kind = ({ uint8Array }) => Buffer.from(uint8Array).subarray(1, 4).toString();
"""


@pytest.fixture(scope="session")
def javascript() -> Client:
    return javascript_clients("javascript-runware")


def run(client: Client, program: str, server: Server, **given: Any) -> Any:
    return client.run(program, server, **{"url": server.url} | given)


def test_sdk_js_draws_uploads_and_edits(
    javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        SDK
        + """
        const client = await connected();
        const two = await client.requestImages(asked({ numberResults: 2, includeCost: true }));
        const task = await client.requestImages(asked({ deliveryMethod: "async" }));
        let later = [];
        while (later[0]?.status !== "success") {
            later = await client.getResponse({ taskUUID: task[0].taskUUID });
        }
        const upload = await client.imageUpload({ image: given.picture });
        const media = await client.mediaStorage({ media: given.picture });
        const referenceImages = [upload.imageUUID, media.mediaUUID, given.picture];
        const [edited] = await client.requestImages(asked({ referenceImages }));
        const found = await client.modelSearch({ search: "GPT Image" });
        tell([two, later, edited, found.results.map(({ air }) => air)]);
        await client.disconnect();
        process.exit();
        """,
        server,
        picture=data_uri(picture()),
    )
    two, later, edited, models = told
    assert len({each["imageUUID"] for each in two}) == 2
    assert all(each["cost"] > 0 for each in two)
    assert len(later) == 1
    assert edited["imageURL"].startswith(server.url)
    assert models == ["openai:gpt-image@2"]
    assert [len(request.files) for request in sandbox.requests] == [0, 0, 3]


def test_sdk_js_is_told_what_is_wrong(javascript: Client, server: Server, sandbox: Sandbox) -> None:
    told = run(
        javascript,
        SDK
        + """
        const client = await connected();
        const taskUUID = "0d2c3c1e-6a55-4b0e-8a90-63a5b3f60f01";
        const told = [
            await refused(client.requestImages(asked({ width: 17 }))),
            await refused(client.requestImages(asked({ taskUUID }))),
            await refused(client.requestImages(asked({ taskUUID }))),
            await refused(connected({ apiKey: "a-key-that-nobody-has" })),
        ];
        tell(told);
        process.exit();
        """,
        server,
    )
    wrong, done, taken, bad_key = told
    assert wrong["code"] == "invalidWidth"
    assert done == "done"
    assert taken["code"] == "conflictTaskUUID"
    assert bad_key["code"] == "invalidApiKey"
    assert len(sandbox.requests) == 1


def test_sdk_js_whose_connection_is_cut_pays_once(
    javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    """It sends the task again as a new one, once its time is over."""
    with cut_in_mid_job(server.url, sandbox) as address:
        told = run(
            javascript,
            SDK
            + """
            const client = await connected({ timeoutDuration: 4000 });
            const positivePrompt = "A fox [sandbox:slow seconds=3]";
            const images = await client.requestImages(asked({ positivePrompt }));
            tell(images.map(({ imageURL }) => imageURL));
            process.exit();
            """,
            server,
            url=address,
        )
    assert len(told) == 1
    assert len(sandbox.requests) == 1


def test_the_ai_sdk_gets_the_size_that_it_sends_by_itself(
    javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        AI_SDK
        + """
        const widths = ({ images }) => images.map(({ uint8Array }) => (
            [kind({ uint8Array }), Buffer.from(uint8Array).readUInt32BE(16)]
        ));
        const prompt = "A fox";
        const two = { n: 2, size: "1024x1024" };
        const settings = { outputType: "base64Data", maxImagesPerCall: 2 };
        tell([
            widths(await generateImage({ model: model(), prompt })),
            widths(await generateImage({ model: model(settings), prompt, ...two })),
            await generateImage({ model: model(), prompt: "A fox [sandbox:moderation]" })
                .catch(({ message, statusCode }) => [message, statusCode]),
            await generateImage({ model: model({}, { apiKey: "nobody's" }), prompt })
                .catch(({ message, statusCode }) => [message, statusCode]),
        ]);
        """,
        server,
    )
    usual, two, refused, bad_key = told
    assert usual == [["PNG", 512]]
    assert two == [["PNG", 1024]] * 2
    assert "safety system" in refused[0]
    assert "Invalid API key." in bad_key[0]
    assert len(sandbox.requests) == 3


def test_the_ai_sdk_whose_answer_is_cut_off_pays_once(
    javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 1
        told = run(
            javascript,
            AI_SDK
            + """
            const prompt = "A fox [sandbox:slow seconds=3]";
            tell((await generateImage({ model: model(), prompt })).images.map(kind));
            """,
            server,
            url=f"http://127.0.0.1:{front.port}",
        )
        assert front.posts_to_cut == 0
    assert told == ["PNG"]
    assert len(sandbox.requests) == 1
