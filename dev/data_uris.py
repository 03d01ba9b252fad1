"""Files as data URIs, which is how they go into a request to Cog and come out of its answer."""

import base64
import binascii
import mimetypes
import re
from pathlib import Path

SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
"""By media type, of the formats that the contract can give."""


def data_uri(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def of_file(path: Path) -> str:
    """The file at `path`, its media type by its name.

    Raises:
        OSError: it cannot be read.
    """
    media_type, _ = mimetypes.guess_type(path.name, strict=False)
    return data_uri(path.read_bytes(), media_type or "application/octet-stream")


def decoded(uri: str) -> tuple[bytes, str]:
    """The content and the suffix that fits its media type.

    Raises:
        ValueError: it is not a data URI in base64.
    """
    header, _, encoded = uri.partition(",")
    kind = re.fullmatch(r"data:([\w/+.-]+);base64", header)
    if not kind:
        raise ValueError(f"this is not a data URI: {header[:100]}")
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("this is not valid base64") from None
    return content, SUFFIXES.get(kind[1]) or mimetypes.guess_extension(kind[1]) or ".bin"
