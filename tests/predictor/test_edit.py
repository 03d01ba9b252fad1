"""Image to image: which parts reach the upstream, and what is never opened."""

import hashlib
from pathlib import Path

import pytest

from tests.support.cog_client import Cog, data_uri, picture
from tests.support.sandbox_client import Sandbox


@pytest.mark.quick
def test_input_images_make_an_edit_with_named_and_typed_parts(cog: Cog, sandbox: Sandbox) -> None:
    files = {kind: picture(kind.upper()) for kind in ("png", "jpeg", "webp")}
    uris = [data_uri(file, f"image/{kind}") for kind, file in files.items()]

    prediction = cog.predict(input_images=uris, aspect_ratio="3:2", quality="medium")

    assert prediction.image.size == (1536, 1024)
    request = sandbox.request
    assert request.path == "/v1/images/edits"
    assert request.arguments == {
        "model": "gpt-image-2",
        "prompt": "A lighthouse at dusk",
        "n": "1",
        "size": "1536x1024",
        "quality": "medium",
        "background": "auto",
        "output_format": "webp",
        "output_compression": "90",
    }
    assert [(p["name"], p["filename"], p["content_type"]) for p in request.files] == [
        ("image[]", "image-1.png", "image/png"),
        ("image[]", "image-2.jpg", "image/jpeg"),
        ("image[]", "image-3.webp", "image/webp"),
    ]
    sent = [part["sha256"] for part in request.files]
    assert sent == [hashlib.sha256(file).hexdigest() for file in files.values()]


def test_one_image_is_sent_as_a_list_too(cog: Cog, sandbox: Sandbox) -> None:
    assert cog.predict(input_images=[data_uri(picture())]).status == "succeeded"
    assert [part["name"] for part in sandbox.request.files] == ["image[]"]


def test_sixteen_images_arrive_in_their_order(cog: Cog, sandbox: Sandbox) -> None:
    files = [picture(size=(16 + number, 16)) for number in range(16)]

    assert cog.predict(input_images=[data_uri(f) for f in files]).status == "succeeded"

    sent = [part["sha256"] for part in sandbox.request.files]
    assert sent == [hashlib.sha256(file).hexdigest() for file in files]


def test_an_image_is_fetched_from_its_url(cog: Cog, sandbox: Sandbox, image_url: str) -> None:
    assert cog.predict(input_images=[image_url]).status == "succeeded"
    assert len(sandbox.request.files) == 1


def test_the_input_image_tokens_are_counted_and_priced_apart(cog: Cog) -> None:
    metrics = cog.predict(input_images=[data_uri(picture())], quality="medium").metrics

    text, image = metrics["input_text_token_count"], metrics["input_image_token_count"]
    assert image > 0
    assert metrics["token_input_count"] == text + image
    # OpenAI's price list, dollars per million tokens: text in 5, image in 8, image out 30.
    assert metrics["cost_usd"] == pytest.approx((5 * text + 8 * image + 30 * 1756) / 1e6)


@pytest.mark.parametrize(("moderation", "sent"), [("low", "low"), ("auto", None)])
def test_moderation_reaches_an_edit_only_when_it_is_low(
    cog: Cog, sandbox: Sandbox, moderation: str, sent: str | None
) -> None:
    cog.predict(input_images=[data_uri(picture())], moderation=moderation)
    assert sandbox.request.arguments.get("moderation") == sent


def test_the_user_id_reaches_an_edit(cog: Cog, sandbox: Sandbox) -> None:
    cog.predict(input_images=[data_uri(picture())], user_id="user-7")
    assert sandbox.request.arguments["safety_identifier"] == "user-7"


@pytest.mark.parametrize("foreign", ["/etc/hostname", "file:///etc/hostname", "hostname", ""])
def test_a_path_of_the_host_is_refused_before_anything_is_spent(
    cog: Cog, sandbox: Sandbox, foreign: str
) -> None:
    prediction = cog.predict(input_images=[foreign])

    assert prediction.status == "failed"
    assert prediction.error.startswith("InvalidInput: Input image 1 ")
    assert "hostname" not in prediction.error
    assert not sandbox.requests


def test_one_foreign_entry_refuses_the_whole_request(cog: Cog, sandbox: Sandbox) -> None:
    prediction = cog.predict(input_images=[data_uri(picture()), "/etc/hostname"])

    assert "Input image 2 " in prediction.error
    assert not sandbox.requests


def test_nothing_but_the_outputs_stays_behind(cog: Cog, sandbox: Sandbox, outputs: Path) -> None:
    before = set(outputs.iterdir())
    cog.predict(input_images=[data_uri(picture("TIFF"), "image/tiff")])

    (directory,) = set(outputs.iterdir()) - before
    assert [file.suffix for file in directory.iterdir()] == [".webp"]
