"""Nothing is paid for that could not be stored, and health says so until it can be again."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.servers import Server, predictor_server
from gpt_image.errors import BadSettings, MachineFault
from gpt_image.inputs import Inputs
from gpt_image.output_images.room import Room, wanted_for
from gpt_image.request import SIZES, ImageRequest
from tests.support.cog_client import Cog
from tests.support.loopback import Answer, Received, StandIn
from tests.support.sandbox_client import Sandbox
from tests.support.written_answers import in_base64, serve, webp

pytestmark = pytest.mark.long

MB = 1_000_000


def request(
    number_of_images: int = 1, aspect_ratio: str = "1:1", output_format: str = "webp"
) -> ImageRequest:
    inputs = Inputs(
        prompt="A lighthouse",
        aspect_ratio=aspect_ratio,
        number_of_images=number_of_images,
        output_format=output_format,
    )
    return ImageRequest.from_inputs(inputs, "gpt-image-2")


def test_more_and_larger_images_want_more_room() -> None:
    assert wanted_for(request()) == 1024 * 1024
    assert wanted_for(request(number_of_images=10)) == 10 * 1024 * 1024
    assert 18 * MB < wanted_for(request(aspect_ratio="3840x2160", output_format="png")) < 30 * MB
    for aspect_ratio in SIZES:
        assert wanted_for(request(aspect_ratio=aspect_ratio)) > 0


# --- on a tmpfs of its own


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "outputs", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def predictor(upstream: str, outputs: Path, **environment: str) -> Iterator[Cog]:
    with predictor_server(
        OPENAI_PROXY_URL=upstream, OUTPUT_DIRECTORY=str(outputs), **environment
    ) as server:
        yield Cog(server.url)


def fill(folder: Path, leave: int) -> Path:
    """A file in the folder that leaves about so many bytes free."""
    free = os.statvfs(folder)
    file = folder / "filling"
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, free.f_bavail * free.f_frsize - leave)
    return file


def test_a_full_disk_is_refused_before_anything_is_paid_for(
    upstream: StandIn, tmp_path: Path
) -> None:
    serve(upstream, webp())
    with (
        tmpfs(tmp_path / "outputs", "64m") as outputs,
        predictor(f"{upstream.root}/v1", outputs) as here,
    ):
        assert here.predict().status == "succeeded"
        filling = fill(outputs, leave=MB // 2)
        refused, sick = here.predict(), here.health()
        asked = len(upstream.requests)
        filling.unlink()
        mended = here.health()

    assert refused.error.startswith(
        "MachineFault: There is no room for the images in OUTPUT_DIRECTORY (1.0 MB wanted, 0."
    )
    assert "ask for fewer or smaller images" in refused.error
    assert asked == 1
    assert sick["status"] == "UNHEALTHY"
    assert "MachineFault: Images cannot be stored in OUTPUT_DIRECTORY" in str(sick)
    assert mended["status"] == "READY", "though nobody asked for an image meanwhile"


def test_a_small_tmpfs_serves_small_predictions_and_refuses_large_ones(
    upstream: StandIn, tmp_path: Path
) -> None:
    serve(upstream, webp())
    with (
        tmpfs(tmp_path / "outputs", "64m") as outputs,
        predictor(f"{upstream.root}/v1", outputs) as here,
    ):
        large = here.predict(number_of_images=10, aspect_ratio="3840x2160", output_format="png")
        health = here.health()
        with ThreadPoolExecutor(32) as callers:
            small = list(callers.map(lambda _: here.predict().status, range(32)))

    assert large.error.startswith("MachineFault: There is no room for the images")
    assert health["status"] == "READY", "one caller's wish is no sickness"
    assert small == ["succeeded"] * 32


def test_predictions_under_way_keep_what_they_were_promised(
    sandbox_process: Server, tmp_path: Path
) -> None:
    """Each wants 25 MB of 40, while the first has written nothing yet."""
    sandbox = Sandbox(sandbox_process.root)
    sandbox.forget()
    inputs = {"aspect_ratio": "3840x2160", "output_format": "png"}
    with (
        tmpfs(tmp_path / "outputs", "40m") as outputs,
        predictor(sandbox_process.url, outputs) as here,
        ThreadPoolExecutor() as pool,
    ):
        first = pool.submit(here.predict, prompt="A lighthouse [sandbox:slow seconds=2]", **inputs)
        sandbox.wait_for(lambda entry: entry["received"])
        second, small = here.predict(**inputs), here.predict()
        assert first.result().status == "succeeded"
        third = here.predict(**inputs)

    assert second.error.startswith("MachineFault: There is no room for the images")
    assert small.status == "succeeded"
    assert third.status == "succeeded"


def test_old_outputs_make_room_before_anybody_is_refused(upstream: StandIn, tmp_path: Path) -> None:
    serve(upstream, webp())
    with (
        tmpfs(tmp_path / "outputs", "8m") as outputs,
        predictor(f"{upstream.root}/v1", outputs) as here,
    ):
        assert here.predict().status == "succeeded"
        old = outputs / "prediction-00000000000000a1"
        old.mkdir()
        fill(outputs, leave=MB // 2).rename(old / "prediction-00000000000000a1-0.webp")
        os.utime(old, (1, 1))
        assert here.predict().status == "succeeded"
        assert not old.exists()


def test_what_fills_the_disk_while_the_upstream_works_costs_one_prediction(
    upstream: StandIn, tmp_path: Path
) -> None:
    with (
        tmpfs(tmp_path / "outputs", "8m") as outputs,
        predictor(f"{upstream.root}/v1", outputs) as here,
    ):

        def fill_and_answer(_: Received) -> Answer:
            fill(outputs, leave=8192)
            return Answer(b'{"data":[{"b64_json":"%b"}]}' % in_base64(bytes(2 * MB)).encode())

        upstream.answer = fill_and_answer
        lost, sick = here.predict(), here.health()
        again = here.predict()

    assert lost.error.startswith("OutputNotSaved: ")
    assert "it may have been billed" in lost.error
    assert "OUTPUT_DIRECTORY" in lost.error
    assert sick["status"] == "UNHEALTHY"
    assert again.error.startswith("MachineFault: ")
    assert len(upstream.requests) == 1


# --- the same without a mount


def test_promises_add_up_and_are_taken_back(tmp_path: Path) -> None:
    room = Room(tmp_path)
    free = os.statvfs(tmp_path)
    most = free.f_bavail * free.f_frsize * 9 // 10
    first, second = tmp_path / "first", tmp_path / "second"
    room.promise(first, 1)
    room._promised[first] = most  # as if it were under way
    assert not room.is_in_doubt

    with pytest.raises(MachineFault, match="no room for the images"):
        room.promise(second, most)
    assert room.is_in_doubt
    room.check()
    assert not room.is_in_doubt

    room.release(first)
    room.promise(second, 1)
    assert not list(tmp_path.glob("*/*"))


def test_a_place_that_cannot_be_written_to_is_the_operators_affair(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    room = Room(tmp_path / "file")
    with pytest.raises(BadSettings, match="check OUTPUT_DIRECTORY"):
        room.promise(tmp_path / "file" / "directory", 1)
    with pytest.raises(MachineFault, match="Not a directory"):
        room.check()
