"""@ai-sdk/replicate 3.0.46 under the AI SDK 7, and 2.0.57, which never polls, under 6."""

from pathlib import Path

import pytest

from tests.api.clients.published import MODEL, Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

AI_SDK = """
import {{ createReplicate }} from "{provider}";
import {{ generateImage }} from "{sdk}";

const replicate = createReplicate({{
    apiToken: env.REPLICATE_API_TOKEN, baseURL: env.REPLICATE_BASE_URL,
}});
const model = replicate.image(given.model);
const kind = (image) => Buffer.from(image.uint8Array).subarray(8, 12).toString();
"""
SDK_7 = AI_SDK.format(provider="@ai-sdk/replicate", sdk="ai")
SDK_6 = AI_SDK.format(provider="ai-sdk-replicate-2", sdk="ai-6")

each_sdk = pytest.mark.parametrize("prelude", [SDK_7, SDK_6], ids=["SDK 7", "SDK 6"])


def run(javascript: Client, program: str, server: Server, **given: object) -> object:
    return javascript.run(program, server, model=MODEL, **given)


@each_sdk
def test_a_picture_is_drawn_at_the_size_that_was_asked_for(
    prelude: str, javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        prelude
        + """
        const options = { quality: "high", output_format: "webp" };
        const { images } = await generateImage({
            model, prompt: "A fox", aspectRatio: "3:2", providerOptions: { replicate: options },
        });
        tell(images.map((image) => [image.mediaType, kind(image)]));
        """,
        server,
    )
    assert told == [["image/webp", "WEBP"]]
    assert sandbox.request.arguments["quality"] == "high"
    assert sandbox.request.arguments["size"] == "1536x1024"


@each_sdk
def test_several_pictures_are_as_many_calls(
    prelude: str, javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        prelude
        + """
        const { images } = await generateImage({ model, prompt: "A fox", n: 3 });
        tell(images.map(kind));
        """,
        server,
    )
    assert told == ["WEBP"] * 3
    assert [request.arguments["n"] for request in sandbox.requests] == [1, 1, 1]


@each_sdk
def test_a_large_picture_is_edited(
    prelude: str, javascript: Client, server: Server, large_picture: Path, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        prelude
        + """
        const images = [fs.readFileSync(given.picture)];
        const edited = await generateImage({ model, prompt: { text: "At night", images } });
        tell(kind(edited.image));
        """,
        server,
        picture=str(large_picture),
    )
    assert told == "WEBP"
    (sent,) = sandbox.request.files
    assert sent["size"] == large_picture.stat().st_size


def test_it_polls_when_the_wait_is_over(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        SDK_7
        + """
        const providerOptions = { replicate: { maxWaitTimeInSeconds: 1 } };
        const prompt = "A fox [sandbox:slow seconds=3]";
        const { image } = await generateImage({ model, prompt, providerOptions });
        tell(kind(image));
        """,
        server,
    )
    assert told == "WEBP"


@each_sdk
def test_a_failure_is_paid_for_once_and_not_tried_again(
    prelude: str, javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        prelude
        + """
        const prompt = "A fox [sandbox:moderation]";
        tell(await generateImage({ model, prompt }).catch((error) => error.message));
        """,
        server,
    )
    # The older one wants an output in each first answer, at Replicate as well.
    sentence = "moderation" if prelude == SDK_7 else "invalid json response"
    assert sentence in str(told).lower()
    assert len(sandbox.requests) == 1
