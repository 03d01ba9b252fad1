"""Re-encoding ends with its prediction, and neither harms nor slows the predictor."""

import asyncio
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cog
import pytest
from PIL import Image

from dev.servers import PROJECT
from gpt_image.conversion import process as conversion
from gpt_image.conversion.decode import decoded
from gpt_image.conversion.reports import FAILURES, Damaged, TooManyPixels, TooMuchMemory
from gpt_image.errors import InvalidInput, MachineFault
from gpt_image.input_images import prepare as inputs
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
    return stored(_noise())(tmp_path)


@cache
def _noise() -> bytes:
    noise = Image.effect_noise((2600, 2600), 80)
    return image_kinds.encoded(Image.merge("RGB", [noise] * 3), "BMP")


def children() -> list[int]:
    """The conversions that this process has started and that still run."""
    listed = [task.read_text() for task in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for pid in " ".join(listed).split() if is_conversion(pid)]


def is_conversion(pid: str) -> bool:
    try:
        return b"gpt_image.conversion" in Path(f"/proc/{pid}/cmdline").read_bytes()
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
        task = asyncio.create_task(inputs.prepare([slow_file] * 8, scratch))
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

    assert asyncio.run(cancel()) < 5  # eight conversions take longer
    assert not scratch.exists()


def test_a_crash_of_a_decoder_refuses_only_its_image(slow_file: cog.Path, scratch: Path) -> None:
    async def crash() -> None:
        task = asyncio.create_task(inputs.prepare([slow_file], scratch))
        os.kill(await first_child(), signal.SIGSEGV)
        with pytest.raises(InvalidInput, match=r"^Input image 1 \(BMP\) could not be converted"):
            await task

    asyncio.run(crash())


MACHINES_FAULT = r"^Input image 1 could not be prepared on this"


def test_a_conversion_that_the_kernel_ends_is_not_blamed_on_the_image(
    slow_file: cog.Path, scratch: Path
) -> None:
    """The kernel's own way to take memory back."""

    async def end() -> None:
        task = asyncio.create_task(inputs.prepare([slow_file], scratch))
        os.kill(await first_child(), signal.SIGKILL)
        with pytest.raises(MachineFault, match=MACHINES_FAULT):
            await task

    asyncio.run(end())


def test_a_limit_that_leaves_no_memory_is_not_blamed_on_the_image(
    slow_file: cog.Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -v {60 << 10}\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(MachineFault, match=MACHINES_FAULT):
        asyncio.run(inputs.prepare([slow_file], scratch))


def test_a_plugin_that_could_not_be_imported_is_not_blamed_on_the_image(
    slow_file: cog.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow passes over one for which there is no memory."""
    monkeypatch.delitem(Image.OPEN, "BMP")
    monkeypatch.setattr(Image, "init", bool)
    with pytest.raises(MemoryError), decoded(slow_file, ("PNG", "BMP")):
        pass


PNG_HEAD = b"\x89PNG\r\n\x1a\n"
HUGE = image_kinds.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (PNG_HEAD + HUGE + image_kinds.png_chunk(b"IDAT", b""), TooManyPixels),
        (PNG_HEAD + HUGE[:10], Damaged),
        (b"no image" * 99, Damaged),
    ],
    ids=["too many pixels", "cut short", "no image"],
)
def test_what_the_first_plugin_refuses_is_blamed_on_the_image(
    tmp_path: Path, content: bytes, failure: type[Exception]
) -> None:
    """In a new process, where Pillow has not imported the other plugins when the first raises."""
    source = stored(content)(tmp_path)
    with pytest.raises(failure):
        asyncio.run(conversion.Conversions().has_transparency(source))


@pytest.mark.long
def test_a_process_that_cannot_be_started_is_not_blamed_on_the_image(
    slow_file: cog.Path, scratch: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def without_descriptors() -> None:
        await inputs.prepare([slow_file], scratch)  # all that is opened late
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        with ExitStack() as taken:
            taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            with suppress(OSError):
                while True:
                    last = taken.enter_context(Path("/dev/null").open())  # noqa: ASYNC230
            with pytest.raises(MachineFault, match="Too many open files"):
                await inputs.prepare([slow_file], scratch)  # the image cannot be opened
            last.close()
            with pytest.raises(MachineFault, match="Too many open files"):
                await inputs.prepare([slow_file], scratch)  # the process cannot be started

    asyncio.run(without_descriptors())


def test_a_disk_that_takes_no_converted_image_is_not_blamed_on_the_image(
    slow_file: cog.Path, scratch: Path
) -> None:
    async def full() -> None:
        task = asyncio.create_task(inputs.prepare([slow_file], scratch))
        resource.prlimit(await first_child(), resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(MachineFault, match="File too large"):
            await task

    asyncio.run(full())


def test_an_image_that_takes_more_memory_than_any_may_is_to_blame(tmp_path: Path) -> None:
    """Tried with a limit of 150 MB, and a picture that takes 144 MB decoded."""
    source = stored(image_kinds.encoded(Image.new("RGB", (6000, 6000)), "PNG"))(tmp_path)
    program = (
        "import sys; from gpt_image.conversion import __main__ as process; "
        "process.MEMORY_LIMIT = 150_000_000; process.main('prepare', *sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, str(source), str(tmp_path / "target")]
    answer = subprocess.run(command, capture_output=True, check=True, cwd=PROJECT).stdout

    assert json.loads(answer) == {"failure": TooMuchMemory.__name__}
    assert str(FAILURES[TooMuchMemory.__name__]()) == "takes more than 3 GB of memory to convert"


def test_a_conversion_without_end_is_given_up(
    slow_file: cog.Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "SECONDS", 0.1)
    with pytest.raises(InvalidInput, match=r"took longer than 0\.1 s to convert"):
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


@pytest.mark.long
def test_sixteen_large_images_do_not_stall_other_predictions(
    slow_file: cog.Path, tmp_path: Path
) -> None:
    """Meanwhile two more re-encode four each, and others have images that pass through."""
    png = UNTOUCHED[1].make(tmp_path)
    assert isinstance(png, Path)
    for _ in range(3):  # a busy machine stalls everybody now and then
        gaps, others = asyncio.run(while_24_are_re_encoded(slow_file, png, tmp_path))
        gap, other = sorted(gaps)[len(gaps) * 999 // 1000], sorted(others)[len(others) * 95 // 100]
        if gap < 0.1 and other < 0.3:
            return
    pytest.fail(f"The event loop stood still for {gap:.2f} s, and others took {other:.2f} s.")


async def while_24_are_re_encoded(
    slow_file: cog.Path, png: Path, folder: Path
) -> tuple[list[float], list[float]]:
    """Seconds between the event loop's rounds, and those that 16 images take that pass through."""
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
            await inputs.prepare([png] * 16, folder)
            others.append(time.monotonic() - started)
            at_once.append(len(children()))
            await asyncio.sleep(0.05)

    background = [asyncio.create_task(tick()), asyncio.create_task(pass_through())]
    try:
        parts = await asyncio.gather(
            *(
                inputs.prepare([slow_file] * count, Path(mkdtemp(dir=folder)))
                for count in (16, 4, 4)
            )
        )
    finally:
        for task in background:
            task.cancel()
    assert [len(images) for images in parts] == [16, 4, 4]
    assert max(at_once) == 2
    return gaps, others
