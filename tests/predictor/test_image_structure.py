"""What is read from an image's first and last bytes, without decoding a pixel."""

import io

import pytest
from PIL import Image

from gpt_image import image_structure
from gpt_image.image_structure import Damaged, Structure, document_of, kind_of
from tests.support.image_kinds import encoded, picture, png_chunk

SIZE = picture().size
FRAMES = [picture(), picture().rotate(180)]


def read(content: bytes) -> Structure | None:
    kind = kind_of(content[: image_structure.START])
    assert kind is not None
    return image_structure.read(io.BytesIO(content), len(content), kind)


def several(format: str) -> bytes:
    file = io.BytesIO()
    FRAMES[0].save(file, format, save_all=True, append_images=FRAMES[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("PNG", encoded(picture(), "PNG")),
        ("JPEG", encoded(picture(), "JPEG")),
        ("WebP", encoded(picture(), "WEBP")),
        ("GIF", encoded(picture("P"), "GIF")),
        ("TIFF", encoded(picture(), "TIFF")),
        ("TIFF", b"MM\0*"),
        ("TIFF", b"II+\0 the form over 4 GB"),
        ("BMP", encoded(picture(), "BMP")),
        ("JPEG 2000", encoded(picture(), "JPEG2000")),
        ("JPEG 2000", encoded(picture(), "JPEG2000", no_jp2=True)),
        ("ICO", encoded(picture(), "ICO")),
        ("HEIC", encoded(picture(), "HEIF")),
        ("AVIF", encoded(picture(), "AVIF")),
        (None, b""),
        (None, b"RIFF\0\0\0\0WAVE"),
        (None, b"\0\0\0\x18ftypmp42"),
        (None, b"<svg/>"),
    ],
)
def test_the_first_bytes_name_the_format(kind: str | None, content: bytes) -> None:
    assert kind_of(content[: image_structure.START]) == kind


@pytest.mark.parametrize(
    ("document", "content"),
    [
        ("PDF", b"%PDF-1.7"),
        ("PDF", b"\n\n%PDF-1.4"),
        ("HTML", b"<!DOCTYPE html>"),
        ("HTML", b"<!-- page --><HTML><svg></svg>"),
        ("SVG", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
        (None, b"plain text"),
    ],
)
def test_documents_that_people_send_for_images_are_named(
    document: str | None, content: bytes
) -> None:
    assert document_of(content) == document


@pytest.mark.parametrize(
    ("content", "content_type", "plain"),
    [
        (encoded(picture(), "PNG"), "image/png", True),
        (encoded(picture("RGBA"), "PNG"), "image/png", True),
        (encoded(Image.new("I;16", SIZE), "PNG"), "image/png", False),
        (several("PNG"), "image/png", False),
        (encoded(picture(), "JPEG"), "image/jpeg", True),
        (encoded(picture(), "JPEG", progressive=True), "image/jpeg", True),
        (encoded(picture("L"), "JPEG"), "image/jpeg", True),
        (encoded(picture("CMYK"), "JPEG"), "image/jpeg", False),
        (several("MPO"), "image/jpeg", False),
        (encoded(picture(), "WEBP"), "image/webp", True),
        (encoded(picture(), "WEBP", lossless=True), "image/webp", True),
        (encoded(picture("RGBA"), "WEBP"), "image/webp", True),
        (several("WEBP"), "image/webp", False),
    ],
)
def test_size_and_kind_are_read_from_the_header(
    content: bytes, content_type: str, plain: bool
) -> None:
    assert read(content) == Structure(content_type, *SIZE, plain)


@pytest.mark.parametrize("format", ["TIFF", "BMP", "AVIF"])
def test_other_formats_have_no_structure_here(format: str) -> None:
    assert read(encoded(picture(), format)) is None


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_a_file_without_its_end_is_damaged(format: str) -> None:
    content = encoded(picture(), format)
    for length in range(16, len(content) - 4, 7):
        with pytest.raises(Damaged):
            read(content[:length])


def test_a_jpeg_without_its_end_mark_may_be_whole() -> None:
    whole = encoded(picture(), "JPEG")
    structure = read(whole[:-2])
    assert structure is not None
    assert not structure.has_end
    assert (structure.width, structure.height) == SIZE


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", bytes(13)),
        b"\xff\xd8\xff" + bytes(40),
        b"\xff\xd8\xff\xe0\0\1" + bytes(40),
        b"RIFF\x20\0\0\0WEBPVP8 " + bytes(40),
        b"RIFF\x20\0\0\0WEBPWHAT" + bytes(40),
        encoded(picture(), "WEBP")[:4] + b"\xff\xff\xff\x7f" + encoded(picture(), "WEBP")[8:],
    ],
)
def test_what_only_starts_like_an_image_is_damaged(content: bytes) -> None:
    with pytest.raises(Damaged):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        encoded(picture(), "PNG")[:33] + png_chunk(b"tEXt", b"") * 50_000,
        encoded(picture(), "JPEG")[:2] + b"\xff\xe1\0\2" * 50_000,
        encoded(picture(), "JPEG")[:2] + b"\xff" * 200_000,
    ],
)
def test_a_file_of_nothing_but_headers_is_given_up_early(content: bytes) -> None:
    class Counting(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    file = Counting(content)
    with pytest.raises(Damaged):
        image_structure.read(file, len(content), str(kind_of(content)))
    assert file.reads < 5000
