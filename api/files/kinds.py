"""What a file is by its first bytes, whatever its sender called it."""

import re

HEAD_BYTES = 12
_CLAIM = re.compile(r"[!-~]{1,127}/[ -~]{1,127}")  # lengths of RFC 6838; no header can break
OTHER = "application/octet-stream"

_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"BM": "image/bmp",
}
_BRANDS = {  # ISO/IEC 23008-12 and the AVIF specification: the major brand after "ftyp"
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
}
RASTER = frozenset({*_BEGINNINGS.values(), *_BRANDS.values(), "image/webp"})
"""Pictures of pixels, which run nothing in a browser."""


def content_type(head: bytes, claimed: str | None) -> str:
    """The type to keep: one of RASTER only where the first bytes say so.

    `claimed` is what the sender said, taken for all other files if it is a type at all.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return _BRANDS[head[8:12]]
    for beginning, kind in _BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    is_usable = claimed and _CLAIM.fullmatch(claimed) and claimed.lower() not in RASTER
    return claimed if claimed and is_usable else OTHER
