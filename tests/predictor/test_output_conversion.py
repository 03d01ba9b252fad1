"""Output images are decoded as input images are: in a process apart, within limits, in turns."""

import asyncio
import io
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dev.servers import Server, predictor_server
from gpt_image.conversion.process import Conversions
from tests.support.cog_client import Cog, Prediction, picture
from tests.support.image_kinds import encoded
from tests.support.loopback import StandIn
from tests.support.waiting import fastest
from tests.support.written_answers import SQUARE, notes, serve, webp

pytestmark = pytest.mark.long

# 100 million pixels in a file of 13 KB; to decode and encode them takes seconds and 0.4 GB.
HEAVY = encoded(Image.new("1", (10_000, 10_000)), "PNG")
BOMB = encoded(Image.new("1", (60_000, 3_000)), "TIFF", compression="group4")


@contextmanager
def warm_server(upstream: StandIn, **environment: str) -> Iterator[Server]:
    """A predictor that has imported all that is imported late."""
    with predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1", **environment) as server:
        serve(upstream, webp())
        Cog(server.url).predict()
        yield server


@pytest.fixture(scope="module")
def server(running_stand_in: StandIn) -> Iterator[Server]:
    with warm_server(running_stand_in) as started:
        yield started


def worker(server: Server) -> psutil.Process:
    """The process that runs predict.py."""
    (process,) = [
        child
        for child in psutil.Process(server.process.pid).children()
        if "gpt_image.conversion" not in child.cmdline()
    ]
    return process


def peak_memory(process: psutil.Process) -> int:
    """Bytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not say")


def conversion_of(server: Server) -> psutil.Process:
    """The first process of a conversion that is seen."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        for child in worker(server).children():
            if "gpt_image.conversion" in child.cmdline():
                return child
        time.sleep(0.005)
    raise AssertionError("nothing is converted")


def test_a_conversion_ends_with_the_deadline_and_takes_no_memory_of_the_worker(
    upstream: StandIn,
) -> None:
    with warm_server(upstream, OPENAI_DEADLINE_SECONDS="3") as hasty:
        before = peak_memory(worker(hasty))
        serve(upstream, HEAVY, webp())

        prediction = Cog(hasty.url).predict(number_of_images=2)
        grown = peak_memory(worker(hasty)) - before

    assert prediction.files == [webp()]
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 was not converted before the deadline"
    ]
    assert prediction.metrics["generate_time"] < 8
    assert grown < 20 << 20


def test_too_many_pixels_are_refused_before_they_are_decoded(
    server: Server, upstream: StandIn
) -> None:
    serve(upstream, BOMB, webp())
    before = peak_memory(worker(server))

    prediction = Cog(server.url).predict(number_of_images=2)

    assert prediction.files == [webp()]
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 has more than 120 million pixels"
    ]
    assert peak_memory(worker(server)) - before < 20 << 20


def test_an_image_that_the_promised_format_cannot_hold_is_said_to_be_that(
    here: Cog, upstream: StandIn
) -> None:
    serve(upstream, encoded(Image.new("L", (17_000, 10)), "PNG"), webp())

    prediction = here.predict(number_of_images=2, aspect_ratio="auto")

    assert prediction.files == [webp()]
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 does not fit into a file of the promised format"
    ]


def test_the_look_for_transparency_takes_no_memory_of_the_worker(
    server: Server, upstream: StandIn
) -> None:
    file = encoded(Image.new("RGBA", (6000, 6000), (0, 0, 0, 255)), "PNG")
    serve(upstream, file)
    before = peak_memory(worker(server))

    prediction = Cog(server.url).predict(
        background="transparent", output_format="png", aspect_ratio="auto"
    )

    assert prediction.files == [file]
    assert notes(prediction) == [
        "A transparent background was asked for, but image 1 is fully opaque."
    ]
    assert peak_memory(worker(server)) - before < 20 << 20


def test_a_look_for_transparency_that_fails_costs_no_image(
    server: Server, upstream: StandIn
) -> None:
    file = encoded(Image.new("RGBA", (6000, 6000), (0, 0, 0, 255)), "PNG")
    serve(upstream, file)

    prediction = killed(
        server,
        signal.SIGKILL,
        background="transparent",
        output_format="png",
        aspect_ratio="auto",
    )

    assert prediction.files == [file]
    assert "Whether image 1 is transparent could not be checked." in notes(prediction)


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_what_is_as_promised_needs_no_process(
    here: Cog, upstream: StandIn, output_format: str
) -> None:
    file = encoded(Image.new("RGB", SQUARE), output_format.upper())
    serve(upstream, *[file] * 10)

    def generate() -> float:
        prediction = here.predict(number_of_images=10, output_format=output_format)
        assert prediction.files == [file] * 10
        return float(prediction.metrics["generate_time"])

    assert fastest(generate, enough=1) < 1


def killed(server: Server, with_signal: int, **inputs: object) -> Prediction:
    """A prediction whose conversion gets a signal."""
    with ThreadPoolExecutor() as pool:
        prediction = pool.submit(Cog(server.url).predict, **inputs)
        conversion_of(server).send_signal(with_signal)
        return prediction.result()


def test_a_machine_without_memory_is_not_blamed_on_the_image(
    server: Server, upstream: StandIn
) -> None:
    serve(upstream, HEAVY)

    prediction = killed(server, signal.SIGKILL)  # as the kernel does

    assert prediction.error.startswith(
        "OutputNotSaved: The images could not be stored (image 1 could not be converted: "
        "Cannot allocate memory); it may have been billed, so retrying may charge you twice; have "
        "the operator give the predictor more memory"
    )


def test_a_crash_of_a_decoder_is(server: Server, upstream: StandIn) -> None:
    serve(upstream, HEAVY)

    prediction = killed(server, signal.SIGSEGV)

    assert prediction.error.startswith("AnswerNotUsable: ")
    assert "image 1 could not be converted" in prediction.error
    assert Cog(server.url).health()["status"] == "READY"


def test_one_image_does_not_wait_for_all_images_of_others(tmp_path: Path) -> None:
    """Eight predictions convert four images each when one more prediction comes."""
    small = tmp_path / "small"
    small.write_bytes(picture("PNG"))
    ended: list[str] = []

    async def predict(name: str, images: int) -> None:
        conversions = Conversions()
        for number in range(images):
            await conversions.finish(small, tmp_path / f"{name}-{number}", "webp", 90)
            ended.append(name)

    async def crowd() -> int:
        others = [asyncio.create_task(predict(f"other-{n}", 4)) for n in range(8)]
        while len(ended) < 8:  # noqa: ASYNC110 - until each of them has had its first turn
            await asyncio.sleep(0.01)
        before = len(ended)
        await predict("one", 1)
        meanwhile = len(ended) - before
        await asyncio.gather(*others)
        return meanwhile

    assert asyncio.run(crowd()) <= 4
    assert len(ended) == 33


def test_a_conversion_leaves_nothing_behind(here: Cog, upstream: StandIn, home: Path) -> None:
    before = set((home / "outputs").iterdir())
    serve(upstream, picture("PNG", SQUARE))

    prediction = here.predict()

    (directory,) = set((home / "outputs").iterdir()) - before
    assert [file.read_bytes() for file in directory.iterdir()] == prediction.files


def test_the_converted_file_is_what_pillow_makes_of_it(here: Cog, upstream: StandIn) -> None:
    serve(upstream, picture("PNG", SQUARE))
    expected = io.BytesIO()
    Image.new("RGB", SQUARE, "teal").save(expected, "WEBP", quality=40)
    assert here.predict(output_compression=40).files == [expected.getvalue()]
