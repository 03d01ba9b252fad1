"""Forms are read the same however their bytes arrive, and never gathered."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import BadRequest, TooLarge, WrongMediaType
from api.files.form import Form

BODY = (
    b"--b\r\n"
    b'Content-Disposition: form-data; name="metadata"\r\n\r\n'
    b'{"a": 1}\r\n--b\r\n'
    b'content-disposition: form-data; name="content"; filename="f\xc3\xbcchse; \\"1\\".png"\r\n'
    b"content-type: image/png\r\n\r\n"
    b"\r\n--\r\n-b\r\n--c\x00\xff\r\n--b\r\n"
    b'Content-Disposition: form-data; name="empty"\r\n\r\n\r\n--b--\r\nepilogue'
)
PARTS = [
    ("metadata", "", "", b'{"a": 1}'),
    ("content", 'f\u00fcchse; "1".png', "image/png", b"\r\n--\r\n-b\r\n--c\x00\xff"),
    ("empty", "", "", b""),
]
Read = list[tuple[str, str, str, bytes]]


async def pieces_of(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in pairwise(edges):
        yield body[start:end]


def read(body: bytes, cuts: list[int], kind: str = "multipart/form-data; boundary=b") -> Read:
    async def run() -> Read:
        form = Form(kind, pieces_of(body, cuts))
        return [
            (
                part.name,
                part.filename,
                part.content_type,
                b"".join([p async for p in part.pieces()]),
            )
            async for part in form.parts()
        ]

    return asyncio.run(run())


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_a_form_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    assert read(BODY, cuts) == PARTS


@given(st.integers(0, BODY.rindex(b"--b--") + 3), st.lists(st.integers(0, len(BODY)), max_size=3))
def test_a_form_that_ends_too_early_is_refused(end: int, cuts: list[int]) -> None:
    with pytest.raises(BadRequest):
        read(BODY[:end], cuts)


def test_a_part_that_is_not_read_is_passed_over() -> None:
    async def names() -> list[str]:
        form = Form("multipart/form-data; boundary=b", pieces_of(BODY, [40, 90, 200]))
        return [part.name async for part in form.parts()]

    assert asyncio.run(names()) == ["metadata", "content", "empty"]


def test_a_long_part_is_handed_on_piece_by_piece() -> None:
    largest = 0

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="content"\r\n\r\n'
        for _ in range(1000):
            yield bytes(65536)
        yield b"\r\n--b--\r\n"

    async def count() -> int:
        nonlocal largest
        total = 0
        async for part in Form("multipart/form-data; boundary=b", endless()).parts():
            async for piece in part.pieces():
                largest = max(largest, len(piece))
                total += len(piece)
        return total

    assert asyncio.run(count()) == 1000 * 65536
    assert largest <= 65536


@pytest.mark.parametrize(
    ("value", "error"),
    [(bytes(65536 + 1), TooLarge), (b"\xff", BadRequest)],
    ids=["too long", "no UTF-8"],
)
def test_text_is_short_and_utf_8(value: bytes, error: type[Exception]) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\n' + value + b"\r\n--b--"

    async def text() -> list[str]:
        form = Form("multipart/form-data; boundary=b", pieces_of(body, []))
        return [await part.text() async for part in form.parts()]

    with pytest.raises(error):
        asyncio.run(text())


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 1000,
        "multipart/mixed; boundary=b",
    ],
)
def test_other_bodies_are_refused(kind: str) -> None:
    with pytest.raises(WrongMediaType):
        read(BODY, [], kind)


@pytest.mark.parametrize(
    "body",
    [
        b"no boundary",
        b"--c\r\n\r\nx\r\n--c--",
        b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"X: y\r\n" * 100 + b"\r\nx\r\n--b--\r\n",
        b"--b\r\nX: " + bytes(100_000) + b"\r\n\r\nx\r\n--b--\r\n",
    ],
)
def test_what_is_not_well_formed_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read(body, [])
