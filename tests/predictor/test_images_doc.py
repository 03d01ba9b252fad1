"""docs/images.md shows what becomes of each kind of input image; `make docs` writes it anew."""

import asyncio
import logging
from pathlib import Path

import pytest
from PIL import Image

from gpt_image.errors import InvalidInput
from gpt_image.input_images import prepare as inputs
from tests.support.generated_docs import assert_documented, table
from tests.support.image_kinds import EVERY_KIND, Kind


@pytest.mark.docs
@pytest.mark.long
def test_the_table_of_input_images_shows_what_happens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gpt_image")
    assert len(EVERY_KIND) >= 24
    rows: list[tuple[str, ...]] = []
    for number, kind in enumerate(EVERY_KIND):
        folder = tmp_path / str(number)
        folder.mkdir()
        caplog.clear()
        sent, refusal = outcome(kind, folder)
        rows.append((kind.title, sent, " ".join([*caplog.messages, refusal]).strip()))
    head = ("input image", "sent upstream", "message in the log, or the error")
    assert_documented("docs/images.md", "inputs", table(head, rows))


def outcome(kind: Kind, folder: Path) -> tuple[str, str]:
    """What is sent, and the sentence if it is refused."""
    made = kind.make(folder)
    try:
        paths = asyncio.run(inputs.check_paths(made if isinstance(made, list) else [made]))
        (part,) = asyncio.run(inputs.prepare(paths, folder))
    except InvalidInput as refusal:
        return "nothing", f"`InvalidInput`: {refusal}"
    if part.path == paths[0]:
        return f"identical bytes, as {part.content_type}", ""
    with Image.open(part.path) as image:
        return f"{image.format}, {image.mode}", ""
