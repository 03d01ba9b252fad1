"""docs/images.md shows what becomes of each answer; `make docs` writes it anew."""

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from tests.support.cog_client import Cog, Prediction, picture
from tests.support.generated_docs import assert_documented, table
from tests.support.loopback import Answer, Received, StandIn
from tests.support.written_answers import SQUARE, Entry, in_base64, notes, serve, webp

pytestmark = pytest.mark.long


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
