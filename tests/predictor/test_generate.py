"""Text to image: what each input becomes upstream, and what comes back."""

import re

import pytest

from gpt_image.request import SIZES
from tests.support.cog_client import Cog
from tests.support.sandbox_client import Sandbox

PIXELS = {ratio: size for ratio, size in SIZES.items() if size != "auto"}


@pytest.mark.quick
def test_a_prompt_alone_becomes_the_contracts_defaults(cog: Cog, sandbox: Sandbox) -> None:
    prediction = cog.send({"input": {"prompt": "A lighthouse at dusk"}})

    assert prediction.image.size == (1024, 1024)
    assert prediction.image.format == "WEBP"
    assert sandbox.request.path == "/v1/images/generations"
    assert sandbox.request.arguments == {
        "model": "gpt-image-2",
        "prompt": "A lighthouse at dusk",
        "n": 1,
        "size": "1024x1024",
        "quality": "auto",
        "background": "auto",
        "output_format": "webp",
        "output_compression": 90,
        "moderation": "auto",
    }


@pytest.mark.parametrize("ratio", PIXELS)
def test_each_aspect_ratio_gives_a_file_of_just_its_size(
    cog: Cog, sandbox: Sandbox, ratio: str
) -> None:
    image = cog.predict(aspect_ratio=ratio).image

    assert sandbox.request.arguments["size"] == SIZES[ratio]
    assert f"{image.width}x{image.height}" == SIZES[ratio]
    image.load()


def test_the_aspect_ratio_auto_leaves_the_size_to_the_model(cog: Cog, sandbox: Sandbox) -> None:
    image = cog.predict(aspect_ratio="auto").image

    assert sandbox.request.arguments["size"] == "auto"
    assert image.width > 0


@pytest.mark.parametrize("quality", ["low", "medium", "high", "auto"])
def test_each_quality_is_sent_and_its_tokens_are_counted(
    cog: Cog, sandbox: Sandbox, quality: str
) -> None:
    tokens = cog.predict(quality=quality).metrics["output_token_count"]

    assert sandbox.request.arguments["quality"] == quality
    # OpenAI's published figures for 1024x1024; auto was seen to become low.
    assert tokens == {"low": 196, "medium": 1756, "high": 7024, "auto": 196}[quality]


@pytest.mark.parametrize(
    ("output_format", "pillow_name", "media_type"),
    [("png", "PNG", "image/png"), ("jpeg", "JPEG", "image/jpeg"), ("webp", "WEBP", "image/webp")],
)
def test_each_format_gives_a_file_of_that_format(
    cog: Cog, sandbox: Sandbox, output_format: str, pillow_name: str, media_type: str
) -> None:
    prediction = cog.predict(output_format=output_format)

    assert sandbox.request.arguments["output_format"] == output_format
    assert prediction.image.format == pillow_name
    assert prediction.media_types == [media_type]


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_compression_is_sent_and_makes_smaller_files(
    cog: Cog, sandbox: Sandbox, output_format: str
) -> None:
    strong, weak = (
        cog.predict(output_format=output_format, output_compression=level).files[0]
        for level in (10, 95)
    )

    assert [r.arguments["output_compression"] for r in sandbox.requests] == [10, 95]
    assert len(strong) < len(weak)


def test_compression_is_not_sent_for_png(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(output_format="png", output_compression=10).image.format == "PNG"
    assert "output_compression" not in sandbox.request.arguments


@pytest.mark.parametrize("background", ["auto", "opaque"])
@pytest.mark.parametrize("output_format", ["png", "webp", "jpeg"])
def test_a_background_that_is_not_transparent_gives_an_opaque_image(
    cog: Cog, sandbox: Sandbox, background: str, output_format: str
) -> None:
    image = cog.predict(background=background, output_format=output_format).image

    assert sandbox.request.arguments["background"] == background
    assert image.convert("RGBA").getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_a_transparent_background_gives_alpha(
    cog: Cog, sandbox: Sandbox, output_format: str
) -> None:
    image = cog.predict(background="transparent", output_format=output_format).image

    assert sandbox.request.arguments["background"] == "transparent"
    assert image.convert("RGBA").getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize("moderation", ["auto", "low"])
def test_moderation_is_sent(cog: Cog, sandbox: Sandbox, moderation: str) -> None:
    assert cog.predict(moderation=moderation).status == "succeeded"
    assert sandbox.request.arguments["moderation"] == moderation


def test_the_user_id_becomes_the_safety_identifier(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(user_id="user-7").status == "succeeded"
    assert sandbox.request.arguments["safety_identifier"] == "user-7"
    assert "user" not in sandbox.request.arguments


def test_an_empty_user_id_is_not_sent(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(user_id="").status == "succeeded"
    assert "safety_identifier" not in sandbox.request.arguments


def test_an_empty_list_of_images_is_no_list(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(input_images=[]).status == "succeeded"
    assert sandbox.request.path == "/v1/images/generations"


def test_ten_images_come_as_ten_different_files_in_one_request(cog: Cog, sandbox: Sandbox) -> None:
    prediction = cog.predict(number_of_images=10, quality="low")

    assert len(set(prediction.files)) == 10
    assert sandbox.request.arguments["n"] == 10
    assert prediction.metrics["image_output_count"] == 10
    assert "Generated 10 images" in prediction.logs


def test_a_whole_number_sent_as_a_float_is_taken(cog: Cog, sandbox: Sandbox) -> None:
    prediction = cog.predict(number_of_images=2.0, output_compression=50.0)

    assert len(prediction.images) == 2
    arguments = sandbox.request.arguments
    assert (arguments["n"], arguments["output_compression"]) == (2, 50)
    assert isinstance(arguments["n"], int)


def test_the_logs_are_replicates_word_for_word(cog: Cog) -> None:
    prediction = cog.send(
        {
            "input": {"prompt": "A lighthouse", "aspect_ratio": "3:2", "quality": "medium"},
            "context": {"prediction_id": "q5h3n0kz2drmc0ch8n2t"},
        }
    )

    expected = [
        r"Model check completed\. Model: gpt-image-2",
        r"Generating image\.\.\.",
        r"Sid q5h3n0kz2drmc0ch8n2t",
        r"Generated image in \d+\.\dsec",
        r"Generated 1 images",
        r"Input text token count: \d+",
        r"Input image token count: 0",
        r"Output token count: 1372",
    ]
    assert len(prediction.logs) == len(expected)
    for line, pattern in zip(prediction.logs, expected, strict=True):
        assert re.fullmatch(pattern, line)


@pytest.mark.parametrize("unfit", ["two\nlines", "ümlaut", "x" * 65, ""])
def test_an_id_that_is_unfit_for_a_log_line_is_left_out(cog: Cog, unfit: str) -> None:
    prediction = cog.send(
        {"input": {"prompt": "A lighthouse"}, "context": {"prediction_id": unfit}}
    )

    assert prediction.status == "succeeded"
    assert not [line for line in prediction.logs if line.startswith("Sid")]


def test_the_metrics_hold_counts_time_and_cost(cog: Cog) -> None:
    metrics = cog.predict(aspect_ratio="3:2", quality="medium").metrics

    text = metrics["input_text_token_count"]
    assert metrics["input_image_token_count"] == 0
    assert metrics["token_input_count"] == text
    assert metrics["output_token_count"] == metrics["token_output_count"] == 1372
    assert metrics["image_output_count"] == 1
    assert 0 < metrics["generate_time"] < 60
    # OpenAI's price list: $5 per million text tokens in, $30 per million image tokens out.
    assert metrics["cost_usd"] == pytest.approx((5 * text + 30 * 1372) / 1e6)


def test_nothing_is_asked_of_the_upstream_but_the_one_call(cog: Cog, sandbox: Sandbox) -> None:
    cog.predict()
    assert [entry["path"] for entry in sandbox.ledger] == ["/v1/images/generations"]
