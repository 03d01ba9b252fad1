"""The answer is split as it arrives: the same whatever the pieces, the escapes and the breaks."""

import asyncio
import base64
import itertools
import json
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_image.image_limits import MAX_OUTPUT_BYTES
from gpt_image.upstream.answer_stream import AnswerStream, AnswerTooLong
from gpt_image.upstream.base64_file import Base64File

LARGE = b"".join(n.to_bytes(3, "big") for n in range(1_000_001))


async def pieces(body: bytes, sizes: Iterator[int]) -> AsyncIterator[bytes]:
    start = 0
    while start < len(body):
        end = start + next(sizes)
        yield body[start:end]
        start = end


def received(body: bytes, *sizes: int) -> tuple[bytes, list[bytes | None]]:
    """The text and the files' contents, from a body in pieces of these sizes, over and over."""

    def repeated() -> Iterator[int]:
        while True:
            yield from sizes or (len(body) or 1,)

    with tempfile.TemporaryDirectory() as directory:
        stream = AnswerStream(Path(directory))
        asyncio.run(stream.read(pieces(body, repeated())))
        return bytes(stream.text), contents(stream)


def contents(stream: AnswerStream) -> list[bytes | None]:
    for file in filter(None, stream.files):
        file.flush()
    return [file.path.read_bytes() if file else None for file in stream.files]


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.long
@settings(max_examples=150)
@given(
    images=st.lists(st.binary(min_size=1, max_size=400), max_size=4),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5),
    note=st.text(max_size=60),
    indent=st.sampled_from([None, 1]),
    escaped=st.booleans(),
)
def test_any_pieces_give_the_same_images_and_text(
    images: list[bytes], sizes: list[int], note: str, indent: int | None, escaped: bool
) -> None:
    answer = {
        "note": note + '"b64_json":"AAAA"',
        "data": [{"b64_json": base64_text(image), "revised_prompt": note} for image in images],
        "usage": {"output_tokens": 7},
    }
    body = json.dumps(answer, indent=indent)
    text, files = received((body.replace("/", "\\/") if escaped else body).encode(), *sizes)

    assert files == images
    assert json.loads(text) == answer | {
        "data": [{"b64_json": str(n), "revised_prompt": note} for n in range(len(images))]
    }


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 1 << 24])
def test_an_image_larger_than_a_step_comes_whole(size: int) -> None:
    body = json.dumps({"data": [{"b64_json": base64_text(LARGE)}] * 2}).encode()
    assert received(body, size)[1] == [LARGE, LARGE]


@pytest.mark.parametrize(
    "written",
    [
        base64_text(LARGE[:1000]).rstrip("="),
        base64_text(LARGE[:1000]).replace("/", "\\/").replace("+", "\\u002b"),
        "data:image/png;base64," + base64_text(LARGE[:1000]),
        "data:image\\/png;base64," + base64_text(LARGE[:1000]).replace("/", "\\/"),
        base64.encodebytes(LARGE[:1000]).decode().replace("\n", "\\n"),
        base64.encodebytes(LARGE[:1000]).decode().replace("\n", "\\r\\n"),
    ],
    ids=["no padding", "escapes", "data URI", "escaped data URI", "lines", "CRLF lines"],
)
@pytest.mark.parametrize("size", [1, 5, 64, 4096])
def test_base64_is_read_as_gateways_write_it(written: str, size: int) -> None:
    body = f'  \n\n {{"data": [{{"b64_json" : "{written}"}}]}}'.encode()
    text, files = received(body, size)

    assert files == [LARGE[:1000]]
    assert json.loads(text)["data"] == [{"b64_json": "0"}]


@pytest.mark.parametrize(
    "written",
    [
        base64_text(LARGE[:1000]) + "\\n",
        base64_text(LARGE[:1000]) + "\\r\\n",
        base64_text(LARGE[:1000])[:701] + "\\n" + base64_text(LARGE[:1000])[701:],
    ],
    ids=["at the end", "two at the end", "one in the middle"],
)
def test_an_escape_may_lie_anywhere_in_a_piece(written: str) -> None:
    body = f'{{"data":[{{"b64_json":"{written}"}}]}}'.encode()
    damaged = [size for size in range(128, 800) if received(body, size)[1] != [LARGE[:1000]]]
    assert not damaged


def test_a_flush_that_failed_halfway_is_made_good_by_the_next(tmp_path: Path) -> None:
    file = Base64File(tmp_path / "0.part")
    file.write(base64_text(b"begins").encode(), last=False)
    file.flush()
    with file.path.open("ab") as half_written:
        half_written.write(b"sec")
    file.write(base64_text(b"second").encode(), last=True)
    file.flush()
    file.flush()
    assert file.path.read_bytes() == b"beginssecond"


def test_image_data_beyond_the_limit_takes_neither_disk_nor_memory(tmp_path: Path) -> None:
    file = Base64File(tmp_path / "0.part")
    step = base64_text(bytes(3 << 20)).encode()
    most_on_disk = 0
    tracemalloc.start()
    try:
        for _ in range(100):
            file.write(step, last=False)
            file.flush()
            most_on_disk = max(most_on_disk, sum(f.stat().st_size for f in tmp_path.iterdir()))
        file.write(b"", last=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert file.is_too_large
    assert most_on_disk <= MAX_OUTPUT_BYTES
    assert peak < 20 << 20
    assert not list(tmp_path.iterdir())


def test_an_image_as_large_as_the_limit_is_kept(tmp_path: Path) -> None:
    file = Base64File(tmp_path / "0.part")
    file.write(base64_text(bytes(MAX_OUTPUT_BYTES)).encode(), last=True)
    file.flush()
    assert not file.is_too_large
    assert file.path.stat().st_size == MAX_OUTPUT_BYTES


def test_a_data_uri_in_a_url_is_an_image_and_other_urls_stay() -> None:
    urls = ["https://host/b64_json", "data:image/png;base64," + base64_text(LARGE)]
    text, files = received(json.dumps({"data": [{"url": url} for url in urls]}).encode(), 100)

    assert files == [LARGE]
    assert [entry["url"] for entry in json.loads(text)["data"]] == [urls[0], "0"]


@pytest.mark.parametrize("broken", ["", "!!!!", "A", "AAAA=AAA", "AA AA\\x", "ÄÖÜß"])
def test_what_is_no_base64_is_no_image_and_spoils_no_other(broken: str) -> None:
    good = base64_text(b"good")
    data = ",".join(f'{{"b64_json":"{text}"}}' for text in (good, broken, good))
    assert received(f'{{"data":[{data}]}}'.encode(), 3)[1] == [b"good", None, b"good"]


@pytest.mark.parametrize("kept", range(0, 120, 7))
def test_a_body_that_breaks_off_keeps_its_whole_images(kept: int) -> None:
    body = json.dumps({"data": [{"b64_json": base64_text(b"one image")}] * 3}).encode()
    _, files = received(body[:kept], 10)

    whole = body[:kept].count(base64_text(b"one image").encode() + b'"')
    assert [file for file in files if file] == [b"one image"] * whole


def test_what_came_before_a_lost_connection_stays() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield json.dumps({"data": [{"b64_json": base64_text(LARGE)}]}).encode()
        raise ConnectionError

    with tempfile.TemporaryDirectory() as directory:
        stream = AnswerStream(Path(directory))
        with pytest.raises(ConnectionError):
            asyncio.run(stream.read(breaking()))
        assert contents(stream) == [LARGE]


def test_an_endless_text_is_given_up() -> None:
    with pytest.raises(AnswerTooLong):
        received(b" " * (20 << 20), 1 << 16)


@pytest.mark.parametrize("size", [1 << 16, 1 << 20])
def test_endless_images_are_given_up_and_the_first_stay(size: int, tmp_path: Path) -> None:
    entry = json.dumps({"b64_json": base64_text(b"one image")})
    body = f'{{"data":[{",".join([entry] * 500_000)}]}}'.encode()
    stream = AnswerStream(tmp_path)

    started = time.monotonic()
    with pytest.raises(AnswerTooLong):
        asyncio.run(stream.read(pieces(body, itertools.repeat(size))))

    assert time.monotonic() - started < 10
    assert contents(stream) == [b"one image"] * len(stream.files)
    assert 10 <= len(stream.files) < 100


def test_a_body_that_comes_byte_by_byte_costs_no_more_than_its_bytes() -> None:
    """Adding up what is there with every piece once took half an hour for this."""
    body = json.dumps({"data": [{"b64_json": base64_text(LARGE[:300_000])}]}).encode()

    started = time.monotonic()
    assert received(body, 1)[1] == [LARGE[:300_000]]
    assert time.monotonic() - started < 10
