"""Input files are passed through, re-encoded or refused as docs/images.md says."""

import asyncio
import io
import logging
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import cog
import pytest
from PIL import Image

from gpt_image.errors import InvalidInput
from gpt_image.image_limits import MAX_UPLOAD_BYTES
from gpt_image.input_images import prepare as inputs
from gpt_image.input_images.prepare import InputImage
from tests.support import image_kinds
from tests.support.image_kinds import (
    CHANGED,
    LARGE,
    LISTS,
    QUARTERS,
    REFUSED,
    UNTOUCHED,
    Kind,
    stored,
)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where re-encoded files go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Cog put the downloads."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


async def checked_and_prepared(entries: Sequence[object], scratch: Path) -> list[InputImage]:
    return await inputs.prepare(await inputs.check_paths(entries), scratch)


def prepare(entries: Sequence[object], scratch: Path) -> list[InputImage]:
    return asyncio.run(checked_and_prepared(entries, scratch))


def made(kind: Kind, folder: Path) -> list[object]:
    entries = kind.make(folder)
    return entries if isinstance(entries, list) else [entries]


@pytest.mark.parametrize("kind", UNTOUCHED, ids=str)
def test_what_the_api_takes_is_sent_untouched(kind: Kind, folder: Path, scratch: Path) -> None:
    (entry,) = made(kind, folder)
    assert isinstance(entry, Path)
    content = entry.read_bytes()

    (part,) = prepare([entry], scratch)

    assert part.content_type == kind.content_type
    assert part.path == Path(entry)
    assert part.path.read_bytes() == content
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("kind", CHANGED, ids=str)
def test_any_other_image_is_sent_upright_and_plain(kind: Kind, folder: Path, scratch: Path) -> None:
    (part,) = prepare(made(kind, folder), scratch)

    assert part.content_type == kind.content_type
    assert part.path.parent == scratch
    with Image.open(part.path) as image:
        assert Image.MIME[image.format or ""] == part.content_type
        assert image.mode in ("RGB", "RGBA")
        assert image.width >= image.height, "lies on its side"
        assert not {"exif", "icc_profile", "transparency"} & image.info.keys()
        if "alpha" in kind.title:
            assert image.getpixel((1, 1))[3] == pytest.approx(image_kinds.ALPHA, abs=3)  # type: ignore[index]
        shown = quarters(image.convert("RGB"))
    if "greyscale" in kind.title:
        assert shown == quarters(image_kinds.picture("L").convert("RGB"))
    elif "floating point" not in kind.title:
        for seen, drawn in zip(shown, QUARTERS, strict=True):
            assert seen == pytest.approx(drawn, abs=3)


def quarters(image: Image.Image) -> list[object]:
    width, height = image.size
    return [image.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


@pytest.mark.long
@pytest.mark.parametrize("kind", LARGE, ids=str)
def test_every_upload_stays_under_50_mb(
    kind: Kind, folder: Path, scratch: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gpt_image")
    (entry,) = made(kind, folder)
    assert isinstance(entry, Path)
    assert entry.stat().st_size > MAX_UPLOAD_BYTES

    (part,) = prepare([entry], scratch)

    assert part.content_type == kind.content_type
    assert 0 < part.path.stat().st_size < MAX_UPLOAD_BYTES
    assert ("at quality 95" in caplog.text) == (part.content_type != "image/png")
    with Image.open(entry) as before, Image.open(part.path) as after:
        scaled = f"scaled down from {before.width}x{before.height} to {after.width}x{after.height}"
        assert (scaled in caplog.text) == (before.size != after.size)


@pytest.mark.parametrize("kind", [*REFUSED, *LISTS], ids=str)
def test_what_is_no_image_is_refused_with_a_sentence(
    kind: Kind, folder: Path, scratch: Path
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        prepare(made(kind, folder), scratch)

    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert ("million pixels" in sentence) == ("pixel bomb" in kind.title)
    assert "hostname" not in sentence and "secret" not in sentence and str(folder) not in sentence
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("kind", REFUSED, ids=str)
def test_the_offending_image_is_named_by_its_number(
    kind: Kind, folder: Path, scratch: Path
) -> None:
    good = UNTOUCHED[0].make(folder)
    bad_folder = folder / "bad"
    bad_folder.mkdir()
    with pytest.raises(InvalidInput, match=r"^Input image 2 "):
        prepare([good, kind.make(bad_folder), good], scratch)


def test_the_string_is_named_that_kept_urls_from_being_fetched(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^Input image 2 "):
        asyncio.run(inputs.check_paths(made(LISTS[1], folder)))


def test_a_path_that_does_not_come_from_cog_is_refused(folder: Path) -> None:
    entry = Path(str(UNTOUCHED[0].make(folder)))
    assert entry.is_file()
    with pytest.raises(InvalidInput, match="not a file that Cog downloaded"):
        asyncio.run(inputs.check_paths([entry]))


def test_sixteen_images_keep_their_order(folder: Path, scratch: Path) -> None:
    entries = []
    for number in range(16):
        suffix = ("PNG", "JPEG", "WEBP", "BMP")[number % 4]
        content = image_kinds.encoded(Image.new("RGB", (10 + number, 10)), suffix)
        entries.append(stored(content, f"Ünïcode {number}")(folder))

    parts = prepare(entries, scratch)

    assert [part.name for part in parts[:5]] == [
        *("image-1.png", "image-2.jpg", "image-3.webp", "image-4.png", "image-5.png")
    ]
    assert [Image.open(io.BytesIO(part.path.read_bytes())).width for part in parts] == [
        *range(10, 26)
    ]


def test_an_empty_list_is_no_list(scratch: Path) -> None:
    assert asyncio.run(inputs.check_paths([])) == ()
    assert prepare([], scratch) == []


@pytest.mark.long
@pytest.mark.parametrize("kind", UNTOUCHED, ids=str)
def test_a_cut_is_found_wherever_it_is(kind: Kind, folder: Path, scratch: Path) -> None:
    entry = kind.make(folder)
    assert isinstance(entry, Path)
    content = entry.read_bytes()
    end = len(content.rstrip(b"\0")) - 3 if "after its end" in kind.title else len(content) - 3
    for length in range(1, end, max(1, end // 8)):
        entry.write_bytes(content[:length])
        with pytest.raises(InvalidInput, match=r"^Input image 1 "):
            prepare([entry], scratch)


def test_a_thumbnail_does_not_hide_that_the_picture_is_cut(folder: Path, scratch: Path) -> None:
    thumbnail = image_kinds.encoded(Image.new("RGB", (8, 8)), "JPEG")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + thumbnail
    content = image_kinds.encoded(image_kinds.picture(), "JPEG", exif=exif)
    assert b"\xff\xd9" in content[: len(content) * 3 // 4]

    with pytest.raises(InvalidInput, match="cut short"):
        prepare([stored(content[: len(content) * 3 // 4])(folder)], scratch)


def test_a_large_file_costs_no_more_than_its_ends(folder: Path, scratch: Path) -> None:
    content = image_kinds.png((5000, 3000), 8, 2, b"")
    end = content[-12:]
    path = folder / "large"
    with path.open("wb") as file:  # a hole in place of the pixels
        file.write(content[:33] + (40_000_000).to_bytes(4, "big") + b"IDAT")
        file.seek(40_000_004, os.SEEK_CUR)
        file.write(end)
    prepare([cog.Path(path)], scratch)

    tracemalloc.start()
    try:
        (part,) = prepare([cog.Path(path)], scratch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert part.path == path
    assert peak < 1_000_000
