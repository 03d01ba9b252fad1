"""Images as OpenAI signs them: with C2PA Content Credentials, and here a profile and EXIF too."""

import struct

from PIL import Image, ImageCms

from tests.support.image_kinds import encoded, picture, png_chunk

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE = 0x010F
"""EXIF's tag for who made the camera."""

C2PA = bytes.fromhex("6332706100110010800000aa00389b71")
"""The UUID by which a JUMBF box says that it holds Content Credentials (C2PA 2.1, 11.1.4)."""


def signed(output_format: str) -> bytes:
    """A PNG, JPEG or WebP with a manifest store where C2PA 2.1 (A.3) puts it, PROFILE and MAKE."""
    exif = Image.Exif()
    exif[MAKE] = "Someone"
    plain = encoded(picture(), output_format.upper(), icc_profile=PROFILE, exif=exif)
    return {"png": _sign_png, "jpeg": _sign_jpeg, "webp": _sign_webp}[output_format](plain)


def _sign_png(plain: bytes) -> bytes:
    after_header = 8 + 25
    return plain[:after_header] + png_chunk(b"caBX", _STORE) + plain[after_header:]


def _sign_jpeg(plain: bytes) -> bytes:
    # APP11 with the common identifier of JPEG XT boxes, box instance 1, packet 1.
    segment = b"JP" + struct.pack(">HI", 1, 1) + _STORE
    app11 = b"\xff\xeb" + struct.pack(">H", 2 + len(segment)) + segment
    return plain[:2] + app11 + plain[2:]


def _sign_webp(plain: bytes) -> bytes:
    padding = b"\0" * (len(_STORE) % 2)
    body = plain[8:] + b"C2PA" + struct.pack("<I", len(_STORE)) + _STORE + padding
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


_STORE = _box(b"jumb", _box(b"jumd", C2PA + b"\x03c2pa\0") + _box(b"json", b'{"claim": 1}'))
