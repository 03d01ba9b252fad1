"""OpenAI's clients before an extended Cog server: masks, free sizes, other models."""

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from PIL import Image

from dev.servers import EXTENDED, Server, free_port
from dev.servers.api import api_before, predictor_for_api
from tests.api.clients.published import Client
from tests.api.clients.published import Server as Told
from tests.api.kept import Kept
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

SIZE = (1024, 1024)


@pytest.fixture(scope="module")
def extended(
    sandbox_process: Server, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    port, outputs = free_port(), tmp_path_factory.mktemp("outputs")
    upstream = {"contract": EXTENDED, "OPENAI_PROXY_URL": sandbox_process.url}
    data = tmp_path_factory.mktemp("api")
    with (
        predictor_for_api(port, outputs, **upstream) as cog,
        api_before(cog, port, data, outputs, **kept.settings) as api,
    ):
        yield Told(api.url, api.token)


@pytest.fixture
def photo_and_mask(tmp_path: Path) -> list[str]:
    """A photo, and where it may change: in its left half."""
    mask = Image.new("RGBA", SIZE, (9, 9, 9, 255))
    mask.paste((9, 9, 9, 0), (0, 0, SIZE[0] // 2, SIZE[1]))
    Image.radial_gradient("L").resize(SIZE).convert("RGB").save(tmp_path / "photo.png")
    mask.save(tmp_path / "mask.png")
    return [str(tmp_path / "photo.png"), str(tmp_path / "mask.png")]


def test_python_sends_a_mask_a_free_size_and_another_model(
    openai_python: Client, extended: Told, sandbox: Sandbox, photo_and_mask: list[str]
) -> None:
    told = openai_python.run(
        dedent(
            """
            from openai import OpenAI

            client = OpenAI()
            with open(given["files"][0], "rb") as photo, open(given["files"][1], "rb") as mask:
                edited = client.images.edit(
                    model="gpt-image-2", prompt="A fox", image=photo, mask=mask, size="1024x1024"
                )
            flare = client.images.generate(
                model="gpt-image-2.5-flare", prompt="A fox", size="1536x864", quality="xhigh"
            )
            names = [model.id for model in client.models.list()]
            tell([edited.data[0].b64_json, flare.data[0].b64_json, names])
            """
        ),
        extended,
        files=photo_and_mask,
    )

    assert_changed_on_the_left_alone(told[0], photo_and_mask[0])
    assert opened(told[1]).size == (1536, 864)
    assert {"gpt-image-2", "openai/gpt-image-2.5-flare"} <= set(told[2])
    edit, generation = sandbox.requests
    sent = {part["name"]: part["sha256"] for part in edit.files}
    assert sent["mask"] == hashlib.sha256(Path(photo_and_mask[1]).read_bytes()).hexdigest()
    asked = generation.arguments
    assert (asked["model"], asked["quality"]) == ("gpt-image-2.5-flare", "xhigh")


def test_javascript_sends_a_mask(
    openai_javascript: Client, extended: Told, photo_and_mask: list[str]
) -> None:
    told = openai_javascript.run(
        """
        import OpenAI from "openai";
        import { createOpenAI } from "@ai-sdk/openai";
        import { generateImage } from "ai";

        const [image, mask] = given.files.map((path) => fs.createReadStream(path));
        const [model, prompt, size] = ["gpt-image-2", "A fox", "1024x1024"];
        const edited = await new OpenAI().images.edit({ model, prompt, image, mask, size });
        const [photo, hole] = given.files.map((path) => fs.readFileSync(path));
        const drawn = await generateImage({
            model: createOpenAI().image(model), size,
            prompt: { text: prompt, images: [photo], mask: hole },
        });
        tell([edited.data[0].b64_json, drawn.image.base64]);
        """,
        extended,
        files=photo_and_mask,
    )

    for picture in told:
        assert_changed_on_the_left_alone(picture, photo_and_mask[0])


def opened(picture: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(picture)))


def assert_changed_on_the_left_alone(picture: str, photo: str) -> None:
    drawn: Any = opened(picture).convert("RGB")
    with Image.open(photo) as given:
        before: Any = given.convert("RGB")
    right = (SIZE[0] // 2 + 32, 0, *SIZE)
    left = (0, 0, SIZE[0] // 2 - 32, SIZE[1])
    assert drawn.crop(right).tobytes() == before.crop(right).tobytes()
    assert drawn.crop(left).tobytes() != before.crop(left).tobytes()
