"""What an answer costs in memory, counted and not timed, so that it holds on any machine."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import Server, sandbox_server
from gpt_image.deadline import Deadline
from gpt_image.inputs import Inputs
from gpt_image.output_images.fetch import Fetcher
from gpt_image.output_images.save import save
from gpt_image.request import ImageRequest
from gpt_image.settings import Settings, take_settings
from gpt_image.upstream.client import Upstream

IMAGES = 10
# Steps of 1 MB as they arrive, and what decoding makes of one; 5.6 MB when this was written.
MOST = 8 << 20


@pytest.fixture(scope="module")
def upstream() -> Iterator[Server]:
    with sandbox_server(SANDBOX_PRERENDERED="true", SANDBOX_GRAIN="true") as server:
        yield server


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "streamed"),
    [
        ("2048x2048", False),
        ("2048x2048", True),
        pytest.param("3840x2160", True, marks=pytest.mark.long),
    ],
)
def test_ten_images_never_stand_in_memory_together(
    upstream: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str, streamed: bool
) -> None:
    monkeypatch.setenv("OPENAI_PROXY_URL", upstream.url)
    monkeypatch.setenv("OPENAI_STREAM_UPSTREAM", str(streamed))
    settings = take_settings()
    first, ten = tmp_path / "first", tmp_path / "ten"
    first.mkdir()
    ten.mkdir()
    asyncio.run(_predict(settings, first, size, images=1))  # all that is imported late

    tracemalloc.start()
    try:
        files = asyncio.run(_predict(settings, ten, size, images=IMAGES))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(files) == IMAGES
    assert sum(file.stat().st_size for file in files) > 2 * MOST, "the images are too small to tell"
    assert peak < MOST


async def _predict(settings: Settings, directory: Path, size: str, images: int) -> list[Path]:
    """What predict.py does with an answer, in this process."""
    inputs = Inputs(
        prompt="A lighthouse at dusk",
        size=size,
        number_of_images=images,
        output_format="png",
    )
    request = ImageRequest.from_inputs(inputs, settings.openai_image_model)
    upstream = Upstream(settings)
    payer = upstream.payer(None)
    async with payer.client:
        deadline = Deadline.after(60)
        answer = await upstream.create(payer, request, [], directory, deadline)
        return await save(answer, request, directory, deadline, Fetcher(()), payer.origin)
