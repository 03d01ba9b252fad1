"""Re-encoding ends with its prediction, and neither harms nor slows the predictor."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import cog
import pytest
from PIL import Image

from gpt_image.conversion import convert
from gpt_image.conversion import process as conversion
from gpt_image.errors import InvalidInput
from gpt_image.input_images import prepare as inputs
from gpt_image.input_images.prepare import InputImage
from tests.support import image_kinds
from tests.support.image_kinds import UNTOUCHED, stored


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where re-encoded files go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def slow_file(tmp_path: Path) -> cog.Path:
    """A 20 MB image that takes about a second to re-encode."""
    noise = Image.effect_noise((2600, 2600), 80)
    return stored(image_kinds.encoded(Image.merge("RGB", [noise] * 3), "BMP"))(tmp_path)


def children() -> list[int]:
    """The conversions that this process has started and that still run."""
    listed = [task.read_text() for task in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for pid in " ".join(listed).split() if is_conversion(pid)]


def is_conversion(pid: str) -> bool:
    try:
        return convert.__name__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


async def first_child() -> int:
    while not children():  # noqa: ASYNC110 - nobody tells when a process starts
        await asyncio.sleep(0.005)
    return children()[0]


def test_a_cancelled_prediction_ends_its_conversion_at_once(
    slow_file: cog.Path, scratch: Path
) -> None:
    async def cancel() -> float:
        task = asyncio.create_task(inputs.prepare([slow_file] * 3, scratch))
        await first_child()
        await asyncio.sleep(0.3)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended = time.monotonic()
        assert not children()
        shutil.rmtree(scratch)
        await asyncio.sleep(0.3)
        return ended - started

    assert asyncio.run(cancel()) < 0.5
    assert not scratch.exists()


def test_a_crash_of_a_decoder_refuses_only_its_image(slow_file: cog.Path, scratch: Path) -> None:
    async def crash() -> None:
        task = asyncio.create_task(inputs.prepare([slow_file], scratch))
        os.kill(await first_child(), signal.SIGSEGV)
        with pytest.raises(InvalidInput, match=r"^Input image 1 \(BMP\) could not be converted"):
            await task

    asyncio.run(crash())


def test_a_conversion_without_end_is_given_up(
    slow_file: cog.Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "SECONDS", 0.1)
    with pytest.raises(InvalidInput, match="could not be converted"):
        asyncio.run(inputs.prepare([slow_file], scratch))
    assert not children()
    assert not list(scratch.iterdir())


def test_a_decoder_sees_no_key(
    slow_file: cog.Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-operator")

    async def look() -> bytes:
        task = asyncio.create_task(inputs.prepare([slow_file], scratch))
        child = await first_child()
        await asyncio.sleep(0.1)  # until it is no longer a copy of this process
        environment = environment_of(child)
        await task
        return environment

    environment = asyncio.run(look())
    assert b"PYTHONPATH" in environment
    assert b"test-key-operator" not in environment


@pytest.mark.slow
def test_sixteen_large_images_do_not_stall_other_predictions(
    slow_file: cog.Path, tmp_path: Path
) -> None:
    """Meanwhile two more re-encode four each, and others have images that pass through."""
    png = UNTOUCHED[1].make(tmp_path)
    assert isinstance(png, Path)
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    at_once: list[int] = []
    gaps: list[float] = []
    others: list[float] = []

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    async def pass_through() -> None:
        while True:
            started = time.monotonic()
            await inputs.prepare([png] * 16, tmp_path)
            others.append(time.monotonic() - started)
            at_once.append(len(children()))
            await asyncio.sleep(0.05)

    async def load() -> Sequence[list[InputImage]]:
        background = [asyncio.create_task(tick()), asyncio.create_task(pass_through())]
        try:
            return await asyncio.gather(
                inputs.prepare([slow_file] * 16, folders[0]),
                inputs.prepare([slow_file] * 4, folders[1]),
                inputs.prepare([slow_file] * 4, folders[2]),
            )
        finally:
            for task in background:
                task.cancel()

    for scratch in folders:
        scratch.mkdir()
    parts = asyncio.run(load())

    assert [len(images) for images in parts] == [16, 4, 4]
    assert max(at_once) == 2
    assert sorted(gaps)[len(gaps) * 999 // 1000] < 0.1
    assert sorted(others)[len(others) * 95 // 100] < 0.3
