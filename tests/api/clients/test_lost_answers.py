"""A client whose connection is cut sends again, and still pays once."""

import pytest

from tests.api.clients.front import front_of
from tests.api.clients.published import MODEL, Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

JAVASCRIPT = """
import Replicate from "replicate";
const replicate = new Replicate({ auth: env.REPLICATE_API_TOKEN, baseUrl: env.REPLICATE_BASE_URL });
const input = { prompt: "A fox [sandbox:slow seconds=2]" };
const [picture] = await replicate.run(given.model, { input });
tell([await (await picture.blob()).slice(8, 12).text()
      ]);
"""
AI_SDK = """
import { createReplicate } from "@ai-sdk/replicate";
import { generateImage } from "ai";
const replicate = createReplicate({
    apiToken: env.REPLICATE_API_TOKEN, baseURL: env.REPLICATE_BASE_URL,
});
const prompt = "A fox [sandbox:slow seconds=3]";
const { image } = await generateImage({ model: replicate.image(given.model), prompt });
tell(Buffer.from(image.uint8Array).subarray(8, 12).toString());
"""
PYTHON_2 = """
picture, = replicate.run(given["model"], input={"prompt": "A fox [sandbox:slow seconds=4]"})
tell(picture.url[:15])
"""


@pytest.mark.parametrize("cuts", [1, 3])
def test_javascript(cuts: int, javascript: Client, server: Server, sandbox: Sandbox) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = cuts
        told = javascript.run(JAVASCRIPT, behind(front.port, server), model=MODEL)
        assert front.posts_to_cut == 0
    assert told[0] == "WEBP"
    assert len(sandbox.requests) == 1


def test_the_ai_sdk(javascript: Client, server: Server, sandbox: Sandbox) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 1
        told = javascript.run(AI_SDK, behind(front.port, server), model=MODEL)
        assert front.posts_to_cut == 0
    assert told == "WEBP"
    assert len(sandbox.requests) == 1


def test_python_2(python_2: Client, server: Server, sandbox: Sandbox) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 2
        told = python_2.run(PYTHON_2, behind(front.port, server), model=MODEL)
        assert front.posts_to_cut == 0
    assert told == "data:image/webp"
    assert len(sandbox.requests) == 1


def behind(port: int, server: Server) -> Server:
    return Server(f"http://127.0.0.1:{port}", server.token)
