"""The images of a JSON edit: ``{"images": [{"image_url": ...}, {"file_id": ...}]}``."""

import base64
import binascii
import re
from typing import Final

from sandbox import image_errors
from sandbox.body import Body
from sandbox.download import download
from sandbox.errors import missing_parameter, text_too_long, unknown_parameter, wrong_type
from sandbox.job import Part

MAX_IMAGE_URL: Final = 20_971_520
"""Characters of an ``image_url``, by OpenAI's OpenAPI document (``ImageRefParam``)."""

_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>.*)", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_KEYS = ("image_url", "file_id")


def take_references(body: Body) -> None:
    """Move the images of a JSON edit to the uploads, and fetch those behind an address.

    Raises ``ApiError``, and so has its place in the order of the rules. Blocks while it fetches.
    """
    if not body.references:
        return
    references, mask = body.references["images"], body.references["mask"]
    if references is None:
        raise missing_parameter("images")
    if not isinstance(references, list):
        raise wrong_type("images", "an array", "something else")
    if not references:
        raise image_errors.no_references()
    if len(references) > image_errors.MAX_IMAGES:
        raise image_errors.too_many_images("images", len(references))
    body.images = [_part(f"images[{i}]", each) for i, each in enumerate(references)]
    if mask is not None:
        body.mask = _part("mask", mask)
    if (markup := body.fields.get("markup")) is not None:
        body.markup = _part("markup", markup)


def _part(name: str, reference: object) -> Part:
    if not isinstance(reference, dict):
        raise wrong_type(name, "an object", "something else")
    for key in reference:
        if key not in _KEYS:
            raise unknown_parameter(f"{name}.{key}")
    url, file_id = (reference.get(key) for key in _KEYS)
    if url is not None and file_id is not None:
        raise image_errors.not_exactly_one(name)
    if isinstance(file_id, str):
        raise image_errors.unknown_file(name, file_id)
    if not isinstance(url, str):
        raise missing_parameter(f"{name}.image_url")
    if len(url) > MAX_IMAGE_URL:
        raise text_too_long(f"{name}.image_url", len(url), MAX_IMAGE_URL)
    return _from_url(name, url)


def _from_url(name: str, url: str) -> Part:
    if _ADDRESS.fullmatch(url):
        return Part(name, None, *download(url))
    match = _DATA_URI.fullmatch(url)
    if match is None:
        raise image_errors.bad_image_url(name)
    try:
        data = base64.b64decode(match["data"], validate=True)
    except binascii.Error:
        data = b""
    return Part(name, None, match["type"], data)
