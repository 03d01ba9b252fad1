"""Runware's sizes before a Cog server of the extended model."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from tests.api.kept import Kept
from tests.api.runware_caller import RunwareCaller, inference
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def api(
    sandbox_process: Server, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    port, outputs = free_port(), tmp_path_factory.mktemp("outputs")
    upstream = {"OPENAI_PROXY_URL": sandbox_process.url}
    data = tmp_path_factory.mktemp("api")
    with (
        predictor_for_api(port, outputs, contract="extended", **upstream) as cog,
        api_before(cog, port, data, outputs, **kept.settings) as running,
    ):
        yield running


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((1920, 1088), "1920x1088"), ((512, 512), "816x816"), ((2048, 16), "2048x688")],
    ids=["legal", "too small", "too long"],
)
def test_a_legal_size_is_drawn_and_another_scaled_from_the_nearest(
    api: Api, sandbox: Sandbox, size: tuple[int, int], drawn: str
) -> None:
    runware = RunwareCaller(api.url, api.token)
    (item,) = runware.items(inference(width=size[0], height=size[1]))
    with Image.open(io.BytesIO(runware.picture(item))) as picture:
        assert (picture.format, picture.size) == ("JPEG", size)
    assert sandbox.request.arguments["size"] == drawn
    assert sandbox.request.arguments["model"] == "gpt-image-2"
