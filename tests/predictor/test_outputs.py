"""What an upstream sends becomes files of the promised format; nothing that was paid is lost."""

import base64
import io
import json
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image

from dev.servers import predictor_server
from tests.support.cog_client import Cog, Prediction, picture
from tests.support.generated_docs import assert_documented, table
from tests.support.loopback import Answer, Received, StandIn, stand_in
from tests.support.sandbox_client import Sandbox
from tests.support.signed_images import C2PA, MAKE, PROFILE, signed

FORMATS = ["png", "jpeg", "webp"]
OTHERS = [(sent, asked) for sent in FORMATS for asked in FORMATS if sent != asked]
SQUARE = 1024, 1024

Entry = bytes | str | dict[str, str | None]
"""One image of an answer: its bytes, its URL, or the JSON object as it is."""


# --- an upstream and file server whose answers the test writes


@pytest.fixture(scope="module")
def running_stand_in() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture
def upstream(running_stand_in: StandIn) -> StandIn:
    running_stand_in.requests.clear()
    return running_stand_in


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an operator with a login for every host in the .netrc."""
    home = tmp_path_factory.mktemp("home")
    netrc = home / ".netrc"
    netrc.write_text("default login someone password test-password\n")
    netrc.chmod(0o600)
    return home


@pytest.fixture(scope="module")
def here(running_stand_in: StandIn, home: Path) -> Iterator[Cog]:
    """A predictor in front of the stand-in; it writes to `home`/outputs."""
    environment = {"HOME": str(home), "OUTPUT_DIRECTORY": str(home / "outputs")}
    with predictor_server(**environment, OPENAI_PROXY_URL=f"{running_stand_in.root}/v1") as server:
        yield Cog(server.url)


def serve(
    upstream: StandIn, *images: Entry, files: Callable[[Received], Answer] | None = None
) -> None:
    """Answer predictions with the images, and other requests as `files` says."""
    entries = [_entry(image) for image in images]
    body = json.dumps({"created": 1, "data": entries}).encode()

    def choose(request: Received) -> Answer:
        if request.path.startswith("/v1/"):
            return Answer(body)
        return files(request) if files else Answer(status=404)

    upstream.answer = choose


def _entry(image: Entry) -> dict[str, str | None]:
    if isinstance(image, bytes):
        return {"b64_json": in_base64(image)}
    return {"url": image} if isinstance(image, str) else image


def in_base64(image: bytes) -> str:
    return base64.b64encode(image).decode()


def fetches(upstream: StandIn) -> list[Received]:
    return [request for request in upstream.requests if not request.path.startswith("/v1/")]


def notes(prediction: Prediction) -> list[str]:
    """The log lines besides Replicate's own; the stand-in's answers have no usage."""
    usual = ("Model check", "Generating", "Generated", "The upstream did not send: ")
    return [line for line in prediction.logs if not line.startswith(usual)]


def webp(color: str = "teal", size: tuple[int, int] = SQUARE) -> bytes:
    return picture("WEBP", size, color)


# --- formats


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_file_of_the_promised_format_is_the_upstreams_byte_for_byte(
    here: Cog, upstream: StandIn, output_format: str
) -> None:
    file = signed(output_format)
    serve(upstream, file)

    prediction = here.predict(output_format=output_format, aspect_ratio="auto")

    assert prediction.files == [file]
    assert prediction.media_types == [f"image/{output_format}"]
    assert notes(prediction) == []
    assert C2PA in prediction.files[0]
    assert prediction.image.info["icc_profile"] == PROFILE
    assert prediction.image.getexif()[MAKE] == "Someone"


@pytest.mark.parametrize(("sent", "asked"), OTHERS)
def test_another_format_is_converted_to_the_promised_one_and_one_line_says_so(
    here: Cog, upstream: StandIn, sent: str, asked: str
) -> None:
    serve(upstream, signed(sent))

    prediction = here.predict(output_format=asked, aspect_ratio="auto")

    assert prediction.image.format == asked.upper()
    assert prediction.media_types == [f"image/{asked}"]
    assert notes(prediction) == [
        f"The upstream sent image 1 as {sent.upper()}; converted to {asked}."
    ]
    assert prediction.image.info["icc_profile"] == PROFILE
    assert prediction.image.getexif()[MAKE] == "Someone"
    assert prediction.image.convert("RGB").getpixel((0, 0)) == pytest.approx((255, 0, 0), abs=4)


@pytest.mark.parametrize(("sent", "asked"), [("png", "webp"), ("webp", "png")])
def test_a_conversion_keeps_alpha(cog: Cog, sent: str, asked: str) -> None:
    prompt = f"A lighthouse [sandbox:other-format format={sent}]"
    prediction = cog.predict(prompt=prompt, background="transparent", output_format=asked)

    assert prediction.image.format == asked.upper()
    assert prediction.image.convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_a_conversion_to_jpeg_puts_what_is_transparent_on_white(
    here: Cog, upstream: StandIn
) -> None:
    clear_black = io.BytesIO()
    Image.new("RGBA", SQUARE, (0, 0, 0, 0)).save(clear_black, "PNG")
    serve(upstream, clear_black.getvalue())

    image = here.predict(output_format="jpeg").image

    assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("asked", ["jpeg", "webp"])
def test_a_conversion_is_compressed_as_asked(cog: Cog, asked: str) -> None:
    prompt = "A lighthouse [sandbox:other-format format=png]"
    sizes = [
        len(cog.predict(prompt=prompt, output_format=asked, output_compression=level).files[0])
        for level in (0, 50, 100)
    ]
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_profile_for_ink_is_not_kept_on_the_colours_of_a_screen(
    here: Cog, upstream: StandIn
) -> None:
    ink = io.BytesIO()
    Image.new("CMYK", SQUARE).save(ink, "JPEG", icc_profile=b"made for ink")
    serve(upstream, ink.getvalue())

    assert "icc_profile" not in here.predict(output_format="png").image.info


def test_gif_and_tiff_are_converted_too(here: Cog, upstream: StandIn) -> None:
    serve(upstream, picture("GIF", SQUARE), picture("TIFF", SQUARE))

    prediction = here.predict(number_of_images=2)

    assert [image.format for image in prediction.images] == ["WEBP", "WEBP"]


# --- links


@pytest.mark.parametrize("output_format", FORMATS)
def test_an_image_behind_a_url_is_fetched_and_kept_as_it_is(
    here: Cog, upstream: StandIn, output_format: str
) -> None:
    file = signed(output_format)
    serve(upstream, f"{upstream.root}/picture", files=lambda _: Answer(file))

    prediction = here.predict(output_format=output_format, aspect_ratio="auto")

    assert prediction.files == [file]
    assert notes(prediction) == []


@pytest.mark.parametrize("fault", ["url-404-once", "url-500-once"])
def test_a_fetch_that_fails_is_repeated_and_not_the_paid_request(
    cog: Cog, sandbox: Sandbox, fault: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{fault}]", number_of_images=2)

    assert len(prediction.images) == 2
    assert sum(entry["images_billed"] for entry in sandbox.ledger) == 2


def test_a_url_that_always_fails_does_not_take_the_other_images_with_it(
    here: Cog, upstream: StandIn
) -> None:
    urls = [f"{upstream.root}/{name}" for name in ("one", "lost", "three")]
    serve(
        upstream,
        *urls,
        files=lambda request: Answer(status=403) if request.path == "/lost" else Answer(webp()),
    )

    prediction = here.predict(number_of_images=3)

    assert len(prediction.images) == 2
    assert notes(prediction) == [
        "1 of 3 images were unusable: image 2 could not be fetched (HTTP 403)"
    ]
    assert [request.path for request in fetches(upstream)].count("/lost") == 4


def test_a_fetch_sends_no_login_of_the_machine_and_no_key(here: Cog, upstream: StandIn) -> None:
    # Another name of the same server, because logins are looked up again for each host.
    elsewhere = upstream.root.replace("127.0.0.1", "localhost")

    def files(request: Received) -> Answer:
        if request.path == "/moved":
            return Answer(status=302, headers={"Location": f"{elsewhere}/picture"})
        return Answer(webp())

    serve(upstream, f"{upstream.root}/moved", f"{upstream.root}/picture", files=files)

    assert len(here.predict(number_of_images=2).images) == 2
    assert [request.path for request in fetches(upstream)].count("/picture") == 2
    for request in fetches(upstream):
        assert set(request.headers) <= {
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "connection",
        }


@pytest.mark.parametrize(
    "address",
    ["file:///etc/hostname", "ftp://127.0.0.1/picture", "//127.0.0.1/picture", "/etc/hostname"],
)
def test_an_address_that_is_not_http_is_not_opened(
    here: Cog, upstream: StandIn, address: str
) -> None:
    serve(upstream, address, webp())

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 came as an address that is neither http nor https"
    ]


def test_a_redirect_to_a_file_of_the_machine_is_not_followed(here: Cog, upstream: StandIn) -> None:
    serve(
        upstream,
        f"{upstream.root}/moved",
        webp(),
        files=lambda _: Answer(status=302, headers={"Location": "file:///etc/hostname"}),
    )

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert "image 1 could not be fetched (InvalidSchema)" in notes(prediction)[0]
    assert len(fetches(upstream)) == 1


def test_a_file_without_end_is_given_up_at_the_size_limit(here: Cog, upstream: StandIn) -> None:
    megabyte = bytes(1 << 20)
    serve(
        upstream,
        f"{upstream.root}/endless",
        webp(),
        files=lambda _: Answer(megabyte for _ in range(1000)),
    )

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == ["1 of 2 images were unusable: image 1 is larger than 64 MB"]
    assert len(fetches(upstream)) == 1


def dripping() -> Iterator[bytes]:
    for _ in range(100):
        time.sleep(0.1)
        yield b"."


def test_a_caller_who_hangs_up_ends_the_fetch(here: Cog, upstream: StandIn, home: Path) -> None:
    serve(upstream, f"{upstream.root}/slow", files=lambda _: Answer(dripping()))
    before = set((home / "outputs").iterdir())

    with pytest.raises(requests.Timeout):
        body = {"input": {"prompt": "A lighthouse"}}
        requests.post(f"{here.url}/predictions", json=body, timeout=(5, 1.5))

    assert len(fetches(upstream)) == 1
    give_up = time.monotonic() + 2
    while set((home / "outputs").iterdir()) != before:
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_file_that_comes_too_slowly_is_given_up_at_the_deadline(upstream: StandIn) -> None:
    serve(upstream, f"{upstream.root}/slow", webp(), files=lambda _: Answer(dripping()))
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OPENAI_DEADLINE_SECONDS="2"
    ) as server:
        prediction = Cog(server.url).predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 was not fetched before the deadline"
    ]
    assert 1.5 < prediction.metrics["generate_time"] < 4


def test_a_file_that_breaks_off_is_fetched_again(here: Cog, upstream: StandIn) -> None:
    file = webp()

    def files(_: Received) -> Answer:
        if len(fetches(upstream)) > 1:
            return Answer(file)
        return Answer([file[:100]], headers={"Content-Length": str(len(file))})

    serve(upstream, f"{upstream.root}/picture", files=files)

    assert here.predict().files == [file]
    assert len(fetches(upstream)) == 2


def test_files_are_fetched_side_by_side(here: Cog, upstream: StandIn) -> None:
    def files(_: Received) -> Answer:
        time.sleep(0.5)
        return Answer(webp())

    serve(upstream, *[f"{upstream.root}/{number}" for number in range(10)], files=files)

    prediction = here.predict(number_of_images=10)

    assert len(prediction.images) == 10
    assert prediction.metrics["generate_time"] < 3


@pytest.mark.parametrize("head", ["data:image/webp;base64,", "data:;base64,"])
def test_a_data_uri_in_place_of_a_url_is_taken(here: Cog, upstream: StandIn, head: str) -> None:
    serve(upstream, head + in_base64(webp()))
    assert here.predict().files == [webp()]


def test_gateways_that_send_both_fields_leave_one_of_them_empty(
    here: Cog, upstream: StandIn
) -> None:
    red, blue = webp("red"), webp("blue")
    serve(
        upstream,
        {"url": "", "b64_json": in_base64(red)},
        {"url": f"{upstream.root}/blue", "b64_json": ""},
        {"url": f"{upstream.root}/blue", "b64_json": None},
        files=lambda _: Answer(blue),
    )
    assert here.predict(number_of_images=3).files == [red, blue, blue]


# --- not as asked


def test_a_size_that_differs_is_logged_and_kept(cog: Cog) -> None:
    prediction = cog.predict(
        prompt="A lighthouse [sandbox:ignores-size]", aspect_ratio="3:2", number_of_images=2
    )

    assert {image.size for image in prediction.images} == {SQUARE}
    assert [line for line in prediction.logs if "instead of" in line] == [
        "The upstream sent image 1 at 1024x1024 instead of 1536x1024.",
        "The upstream sent image 2 at 1024x1024 instead of 1536x1024.",
    ]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_opaque_image_in_place_of_a_transparent_one_is_logged(
    here: Cog, upstream: StandIn, mode: str
) -> None:
    opaque = io.BytesIO()
    Image.new(mode, SQUARE, "teal").save(opaque, "PNG")
    serve(upstream, opaque.getvalue())

    prediction = here.predict(background="transparent", output_format="png")

    assert prediction.files == [opaque.getvalue()]
    assert notes(prediction) == [
        "A transparent background was asked for, but image 1 is fully opaque."
    ]


# --- damaged


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_file_cut_short_inside_sound_base64_is_unusable(cog: Cog, output_format: str) -> None:
    prompt = "A lighthouse [sandbox:truncated-image image=2]"
    prediction = cog.predict(prompt=prompt, number_of_images=3, output_format=output_format)

    assert len(prediction.images) == 2
    assert "1 of 3 images were unusable: image 2 is damaged" in prediction.logs


def test_each_unusable_image_is_named_by_its_place_in_the_answer(
    here: Cog, upstream: StandIn
) -> None:
    good = [webp("red"), webp("green")]
    serve(upstream, {"b64_json": "%%%"}, good[0], good[0][:500], b"<html>", good[1], {})

    prediction = here.predict(number_of_images=8)

    assert prediction.files == good
    assert notes(prediction) == [
        "6 of 8 images were unusable: image 1 has no readable data; image 3 is damaged; "
        "image 4 is damaged; image 6 has no readable data; image 7 is missing; image 8 is missing"
    ]
    assert "Generated 2 images" in prediction.logs


def test_no_damage_that_pillow_meets_costs_the_other_images(here: Cog, upstream: StandIn) -> None:
    """Half of the files are to be converted, so that every byte of them is decoded."""
    dice = random.Random(4)  # noqa: S311 - it breaks files, and guards none
    sound = webp(size=(64, 64))
    for _ in range(15):
        files = [mutated(signed(dice.choice(FORMATS)), dice) for _ in range(9)]
        serve(upstream, sound, *files)

        prediction = here.predict(number_of_images=10, output_format=dice.choice(["png", "webp"]))

        assert prediction.status == "succeeded", prediction.body


def mutated(file: bytes, dice: random.Random) -> bytes:
    data = bytearray(file)
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data[: dice.choice([len(data), len(data), dice.randrange(len(data))])])


# --- on disk


def test_output_files_have_ascii_names_of_their_own_and_nothing_else_stays(
    here: Cog, upstream: StandIn, home: Path
) -> None:
    serve(
        upstream,
        picture("PNG", SQUARE),
        f"{upstream.root}/picture",
        {"b64_json": "%%%"},
        f"{upstream.root}/lost",
        files=lambda request: Answer(webp()) if request.path == "/picture" else Answer(b"no"),
    )
    before = set((home / "outputs").iterdir())

    body = {
        "input": {"prompt": "A lighthouse", "number_of_images": 4},
        "context": {"prediction_id": "é/../b7"},
    }
    assert len(here.send(body).images) == 2

    (directory,) = set((home / "outputs").iterdir()) - before
    names = sorted(file.name for file in directory.iterdir())
    assert names == [f"{directory.name}-0.webp", f"{directory.name}-1.webp"]
    assert directory.name.isascii()


def test_a_failed_prediction_leaves_no_directory(here: Cog, upstream: StandIn, home: Path) -> None:
    serve(upstream, b"no image", picture("GIF")[:30])
    before = set((home / "outputs").iterdir())

    assert here.predict(number_of_images=2).status == "failed"

    assert set((home / "outputs").iterdir()) == before


def test_images_that_the_disk_does_not_take_are_an_error_of_their_own(upstream: StandIn) -> None:
    noise = Image.effect_noise(SQUARE, 100)
    file = io.BytesIO()
    noise.save(file, "PNG")
    serve(upstream, file.getvalue())
    with predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server:
        limit = 200_000
        assert len(file.getvalue()) > limit
        for process in psutil.Process(server.process.pid).children(recursive=True):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        prediction = Cog(server.url).predict(output_format="png")

    assert prediction.error.startswith("OutputNotSaved: ")
    assert "it may have been billed" in prediction.error
    assert "OUTPUT_DIRECTORY" in prediction.error


def test_images_that_the_disk_took_before_it_was_full_are_returned(upstream: StandIn) -> None:
    small, file = picture("PNG", SQUARE), io.BytesIO()
    Image.effect_noise((1500, 1500), 100).save(file, "PNG")
    limit = 500_000
    assert len(small) < limit < len(file.getvalue())
    serve(upstream, small, file.getvalue())
    with predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server:
        for process in psutil.Process(server.process.pid).children(recursive=True):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        prediction = Cog(server.url).predict(output_format="png", number_of_images=2)

    assert prediction.files == [small]
    assert "could not all be stored (File too large)" in "\n".join(prediction.logs)


def test_without_a_place_for_outputs_nothing_is_asked_of_the_upstream(
    upstream: StandIn, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OUTPUT_DIRECTORY=str(occupied / "outputs")
    ) as server:
        prediction = Cog(server.url).predict()

    assert prediction.error.startswith("BadSettings: There is no place for output files")
    assert "OUTPUT_DIRECTORY" in prediction.error
    assert not upstream.requests


def test_after_one_image_that_had_no_place_nothing_more_is_paid_for(
    upstream: StandIn, tmp_path: Path
) -> None:
    serve(upstream, webp())
    outputs = tmp_path / "outputs"
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OUTPUT_DIRECTORY=str(outputs)
    ) as server:
        here = Cog(server.url)
        assert here.predict().status == "succeeded"
        outputs.rename(tmp_path / "elsewhere")
        outputs.write_text("a file in its place")
        paid, refused, again = here.predict(), here.predict(), here.predict()
        asked = len(upstream.requests)
        outputs.unlink()
        mended = here.predict()

    assert paid.error.startswith("OutputNotSaved: ")
    assert refused.error.startswith("BadSettings: There is no place for output files")
    assert again.error == refused.error
    assert asked == 2
    assert mended.status == "succeeded"


# --- the table of docs/images.md


def translucent() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", SQUARE, (0, 128, 128, 100)).save(file, "PNG")
    return file.getvalue()


# What the upstream sends, its images (a path is an address of the stand-in), and the inputs.
SENT: list[tuple[str, list[Entry], dict[str, object]]] = [
    ("what was asked for", [webp()], {}),
    ("PNG with alpha for WebP", [translucent()], {}),
    ("JPEG for PNG", [picture("JPEG", SQUARE)], {"output_format": "png"}),
    ("WebP for JPEG", [webp()], {"output_format": "jpeg"}),
    ("GIF for WebP", [picture("GIF", SQUARE)], {}),
    ("`url` instead of `b64_json`", ["/picture"], {}),
    ("`url` whose first fetch fails", ["/flaky"], {}),
    ("two `url`, one fails each time", ["/picture", "/lost"], {}),
    ("`url` with a `data:` URI", ["data:image/webp;base64," + in_base64(webp())], {}),
    ("two `url`, one is `file:`", ["/picture", "file:///etc/hostname"], {}),
    ("another size", [webp(size=(1536, 1024))], {}),
    ("opaque, where transparent was asked for", [webp()], {"background": "transparent"}),
    ("two files, one cut short", [webp(), webp()[:500]], {}),
    ("two images, one is no base64", [webp(), {"b64_json": "%%%"}], {}),
    ("one image of two", [webp()], {"number_of_images": 2}),
    ("a file that is no image", [b"<html>"], {}),
    ("no image", [], {}),
]


@pytest.mark.docs
def test_the_document_shows_what_becomes_of_each_answer(here: Cog, upstream: StandIn) -> None:
    def files(request: Received) -> Answer:
        first = upstream.paths().count(request.path) == 1
        if request.path == "/lost" or (request.path == "/flaky" and first):
            return Answer(status=404)
        return Answer(webp())

    rows: list[tuple[str, ...]] = []
    for title, images, inputs in SENT:
        addressed = [
            upstream.root + image if isinstance(image, str) and image.startswith("/") else image
            for image in images
        ]
        serve(upstream, *addressed, files=files)
        prediction = here.predict(**({"number_of_images": len(images) or 1} | inputs))
        rows.append((title, *outcome(prediction, [*images, webp()])))
    head = ("upstream sends", "files", "message in the log, or the error")
    assert_documented("docs/images.md", "outputs", table(head, rows))


def outcome(prediction: Prediction, sent: Sequence[Entry]) -> tuple[str, str]:
    """What the caller gets, and what is said about it."""
    if prediction.status == "failed":
        name, _, sentence = prediction.error.partition(": ")
        return "none", f"`{name}`: {sentence}"
    said = " ".join(notes(prediction))
    if all(file in sent for file in prediction.files):
        return f"{len(prediction.files)}, identical bytes", said
    return f"{prediction.image.format}, {prediction.image.mode}", said
