"""What the first and last bytes of an image file say; no pixel is decoded here."""

import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

START = 4096
"""Bytes from the start of a file that `kind_of` wants to see."""

# A truncated upload lacks its end; what some programs append after the end is rarely longer.
_TAIL = 65536

# Real files have a few hundred parts ahead of their pixels (extended XMP in many segments); a
# made-up one could keep the reader busy for minutes.
_MOST_PARTS = 1000

_PNG, _RIFF, _JPEG = b"\x89PNG\r\n\x1a\n", b"RIFF", b"\xff\xd8\xff"
_PNG_END = b"IEND\xaeB\x60\x82"
_JPEG_END = b"\xff\xd9"
_GIF_END = b";"
_SVG_END = b"</svg>"
_BASELINE_TO_PROGRESSIVE = (0xC0, 0xC1, 0xC2)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # tables share the range with the frames
_START_OF_SCAN, _APP2 = 0xDA, 0xE2
_WEBP_ANIMATED = 0x02

_SIGNATURES = {
    _PNG: "PNG",
    _JPEG: "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\1\0": "ICO",
}
# ISO base media files name their brand after `ftyp`; mif1 and msf1 say only that it is a picture.
_BRANDS = {
    **dict.fromkeys(("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), "HEIC"),
    **dict.fromkeys(("avif", "avis"), "AVIF"),
}


class Damaged(Exception):
    """The file is cut short, or is not what its signature says."""


@dataclass(frozen=True)
class Structure:
    """What a PNG, JPEG, WebP or GIF file says about itself."""

    content_type: str
    width: int
    height: int
    """In pixels; 0 where the header leaves that to the decoder."""
    plain: bool
    """One still picture in a mode that the API takes: not 16-bit, CMYK, animated or MPO."""
    has_end: bool = True
    """False for a JPEG or GIF without its end mark where it belongs: only decoding can tell why."""


def kind_of(start: bytes) -> str | None:
    """Name the image format by its magic bytes; None for anything else."""
    if start[:4] == _RIFF and start[8:12] == b"WEBP":
        return "WebP"
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12].decode("latin-1"))
    return next((kind for magic, kind in _SIGNATURES.items() if start.startswith(magic)), None)


def is_whole_svg(start: bytes, end: bytes) -> bool:
    """Whether the first and last bytes of a file are those of an SVG drawing."""
    return document_of(start) == "SVG" and end.rstrip().lower().endswith(_SVG_END)


def document_of(start: bytes) -> str | None:
    """Name what people send in place of an image: SVG, PDF or HTML."""
    text = start.lower()
    if b"%pdf-" in text[:1024]:
        return "PDF"
    if b"<!doctype html" in text or b"<html" in text:
        return "HTML"
    return "SVG" if b"<svg" in text else None


def read(file: BinaryIO, size: int, kind: str) -> Structure | None:
    """Read the structure of a PNG, JPEG, WebP or GIF of `size` bytes; None for other kinds.

    Raises Damaged where the structure does not hold together. Costs a few reads, whatever the
    size of the file.
    """
    readers = {"PNG": _read_png, "JPEG": _read_jpeg, "WebP": _read_webp, "GIF": _read_gif}
    reader = readers.get(kind)
    return reader(file, size) if reader else None


def _read_png(file: BinaryIO, size: int) -> Structure:
    file.seek(len(_PNG))
    length, chunk, width, height, depth = _unpack(file, ">I4sIIB")
    if (length, chunk) != (13, b"IHDR") or not width * height:
        raise Damaged
    file.seek(8, os.SEEK_CUR)
    animated = _is_animated_png(file)
    if _PNG_END not in _tail(file, size):
        raise Damaged
    return Structure("image/png", width, height, plain=depth < 16 and not animated)


def _is_animated_png(file: BinaryIO) -> bool:
    for _ in range(_MOST_PARTS):
        length, chunk = _unpack(file, ">I4s")
        if chunk in (b"acTL", b"IDAT"):
            return bool(chunk == b"acTL")
        file.seek(length + 4, os.SEEK_CUR)
    raise Damaged


def _read_jpeg(file: BinaryIO, size: int) -> Structure:
    file.seek(2)
    frame = None
    several_pictures = False
    for marker, start in _jpeg_segments(file):
        if marker in _FRAMES and len(start) == 6:
            frame = marker, *struct.unpack(">BHHB", start)
        # The CIPA multi-picture index, as in the MPO and HDR files of phones.
        several_pictures |= marker == _APP2 and start.startswith(b"MPF\0")
    if frame is None:
        raise Damaged
    marker, precision, height, width, components = frame
    plain = (
        marker in _BASELINE_TO_PROGRESSIVE
        and precision == 8
        and components in (1, 3)
        and width * height > 0
        and not several_pictures
    )
    # Searched from the scan on, because the thumbnail in the header has an end mark too.
    has_end = _JPEG_END in _tail(file, size)
    return Structure("image/jpeg", width, height, plain, has_end)


def _jpeg_segments(file: BinaryIO) -> list[tuple[int, bytes]]:
    """List marker and first six bytes of each segment, and leave the file at the first scan."""
    segments: list[tuple[int, bytes]] = []
    for _ in range(_MOST_PARTS):
        prefix, marker = _unpack(file, "BB")
        if prefix != 0xFF:
            raise Damaged
        if marker == 0xFF:  # a fill byte
            file.seek(-1, os.SEEK_CUR)
            continue
        if marker == _START_OF_SCAN:
            return segments
        (length,) = _unpack(file, ">H")
        if length < 2:
            raise Damaged
        start = _take(file, min(length - 2, 6))
        segments.append((marker, start))
        file.seek(length - 2 - len(start), os.SEEK_CUR)
    raise Damaged


def _read_webp(file: BinaryIO, size: int) -> Structure:
    file.seek(4)
    riff, _, chunk, length = _unpack(file, "<I4s4sI")
    end = riff + 8
    body = _take(file, 10)
    if end > size or (chunk != b"VP8X" and 20 + length > end):
        raise Damaged
    if chunk == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
    elif chunk == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif chunk == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (edge & 0x3FFF for edge in struct.unpack("<HH", body[6:10]))
    else:
        raise Damaged
    animated = chunk == b"VP8X" and bool(body[0] & _WEBP_ANIMATED)
    return Structure("image/webp", width, height, plain=not animated)


def _read_gif(file: BinaryIO, size: int) -> Structure:
    file.seek(6)
    width, height = _unpack(file, "<HH")
    # Some programs fill up the file after its end.
    has_end = _tail(file, size).rstrip(b"\0\r\n").endswith(_GIF_END)
    return Structure("image/gif", width, height, plain=False, has_end=has_end)


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(file.tell(), size - _TAIL))
    return file.read(_TAIL)


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, _take(file, struct.calcsize(layout)))


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise Damaged
    return data
