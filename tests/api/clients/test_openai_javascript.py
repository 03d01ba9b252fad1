"""openai 7.57.0 for JavaScript, and @ai-sdk/openai 4.0.118 under the AI SDK 7."""

import pytest

from tests.api.clients.front import front_of
from tests.api.clients.published import Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

PRELUDE = """
import OpenAI, { toFile } from "openai";

const client = new OpenAI();
const kind = (each) => Buffer.from(each.b64_json, "base64").subarray(0, 4).toString("hex");
const kinds = (answer) => answer.data.map(kind);
const files = (given.pictures ?? []).map((path) => fs.createReadStream(path));
"""
AI_SDK = """
import { createOpenAI } from "@ai-sdk/openai";
import { generateImage } from "ai";

const openai = createOpenAI();
const kind = (image) => Buffer.from(image.uint8Array).subarray(0, 4).toString("hex");
"""
PNG, JPEG = "89504e47", "ffd8ffe0"


def test_the_client_draws_edits_streams_and_lists(
    openai_javascript: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = openai_javascript.run(
        PRELUDE
        + """
        const [model, prompt] = ["gpt-image-2", "A fox"];
        const two = await client.images.generate({ model, prompt, n: 2, output_format: "jpeg" });
        const one = await client.images.edit({ model, prompt, image: files[0] });
        const both = await client.images.edit({
            model, prompt, image: given.pictures.map((path) => fs.createReadStream(path)),
        });
        const streamed = [];
        const stream = await client.images.generate({ model, prompt, stream: true });
        for await (const event of stream) streamed.push([event.type, kind(event)]);
        const names = [];
        for await (const each of client.models.list()) names.push(each.id);
        const found = await client.models.retrieve("openai/gpt-image-2");
        tell([kinds(two), kinds(one), kinds(both), streamed, names, found.object]);
        """,
        server,
        pictures=two_pictures,
    )
    assert told[:3] == [[JPEG, JPEG], [PNG], [PNG]]
    assert told[3] == [["image_generation.completed", PNG]]
    assert told[4:] == [["gpt-image-2", "openai/gpt-image-2"], "model"]
    assert [len(request.files) for request in sandbox.requests] == [0, 1, 2, 0]


def test_the_clients_errors_have_classes_and_are_not_repeated(
    openai_javascript: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = openai_javascript.run(
        PRELUDE
        + """
        const failure = async (asked, caller = client) => {
            const call = asked.image ? "edit" : "generate";
            try {
                await caller.images[call]({ model: "gpt-image-2", prompt: "A fox", ...asked });
            } catch (error) {
                return [error.constructor.name, error.status, error.code, error.message];
            }
        };
        tell([
            await failure({ prompt: "A fox [sandbox:moderation]" }),
            await failure({ size: "9x9" }),
            await failure({ image: files[0], mask: files[1] }),
            await failure({}, new OpenAI({ apiKey: "sk-stranger" })),
        ]);
        """,
        server,
        pictures=two_pictures,
    )
    assert [each[:3] for each in told] == [
        ["BadRequestError", 400, "moderation_blocked"],
        ["BadRequestError", 400, "invalid_value"],
        ["BadRequestError", 400, "unsupported_parameter"],
        ["AuthenticationError", 401, "invalid_api_key"],
    ]
    assert all("no body" not in each[3] for each in told)
    assert len(sandbox.requests) == 1


def test_the_ai_sdk_draws_and_edits_by_either_name(
    openai_javascript: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = openai_javascript.run(
        AI_SDK
        + """
        const images = given.pictures.map((path) => fs.readFileSync(path));
        const told = [];
        for (const name of ["gpt-image-2", "openai/gpt-image-2"]) {
            const model = openai.image(name);
            const drawn = await generateImage({ model, prompt: "A fox", size: "1536x1024" });
            const one = await generateImage({
                model, prompt: { text: "At night", images: images.slice(0, 1) },
            });
            const both = await generateImage({ model, prompt: { text: "Both", images } });
            told.push([drawn, one, both].map(({ image }) => kind(image)));
        }
        tell(told);
        """,
        server,
        pictures=two_pictures,
    )
    assert told == [[PNG] * 3] * 2
    assert [len(request.files) for request in sandbox.requests] == [0, 1, 2] * 2


def test_the_ai_sdk_pays_once_for_a_failure_and_for_a_cut_connection(
    openai_javascript: Client, server: Server, sandbox: Sandbox
) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 1
        told = openai_javascript.run(
            AI_SDK
            + """
            const model = openai.image("gpt-image-2");
            const drawn = await generateImage({
                model, prompt: "A fox [sandbox:slow seconds=3]",
            });
            const prompt = "A fox [sandbox:502-html]";
            const failed = await generateImage({ model, prompt }).catch((error) => error.message);
            tell([kind(drawn.image), failed]);
            """,
            Server(f"http://127.0.0.1:{front.port}", server.token),
        )
        assert front.posts_to_cut == 0
    assert told[0] == PNG
    assert "may have been billed" in told[1]
    assert len(sandbox.requests) == 2
