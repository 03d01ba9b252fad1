"""What an upstream sends is passed on as it came, or becomes the format that was promised."""

import io

import pytest
from PIL import Image

from tests.support.cog_client import Cog, picture
from tests.support.loopback import StandIn
from tests.support.signed_images import C2PA, MAKE, PROFILE, signed
from tests.support.written_answers import FORMATS, SQUARE, notes, serve

OTHERS = [(sent, asked) for sent in FORMATS for asked in FORMATS if sent != asked]


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


def test_a_size_that_differs_is_logged_and_kept(cog: Cog) -> None:
    prediction = cog.predict(
        prompt="A lighthouse [sandbox:ignores-size]", aspect_ratio="3:2", number_of_images=2
    )

    assert {image.size for image in prediction.images} == {SQUARE}
    # Two threads look at them, so that either may be logged first.
    assert sorted(line for line in prediction.logs if "instead of" in line) == [
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
