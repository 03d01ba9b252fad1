"""Answers that a test writes, for an upstream that is a file server as well."""

import base64
import json
from collections.abc import Callable

from tests.support.cog_client import Prediction, picture
from tests.support.loopback import Answer, Received, StandIn

FORMATS = ["png", "jpeg", "webp"]
SQUARE = 1024, 1024

Entry = bytes | str | dict[str, str | None]
"""One image of an answer: its bytes, its URL, or the JSON object as it is."""


def serve(
    upstream: StandIn, *images: Entry, files: Callable[[Received], Answer] | None = None
) -> None:
    """Answer predictions with the images, and other requests as `files` says."""
    entries = [_entry(image) for image in images]
    body = json.dumps({"created": 1, "data": entries}).encode()

    def choose(request: Received) -> Answer:
        if request.path.startswith("/v1/"):
            return Answer(body)
        return files(request) if files else Answer(status=404)

    upstream.answer = choose


def _entry(image: Entry) -> dict[str, str | None]:
    if isinstance(image, bytes):
        return {"b64_json": in_base64(image)}
    return {"url": image} if isinstance(image, str) else image


def in_base64(image: bytes) -> str:
    return base64.b64encode(image).decode()


def fetches(upstream: StandIn) -> list[Received]:
    return [request for request in upstream.requests if not request.path.startswith("/v1/")]


def notes(prediction: Prediction) -> list[str]:
    """The log lines besides Replicate's own; the stand-in's answers have no usage."""
    usual = ("Model check", "Generating", "Generated", "The upstream did not send: ")
    return [line for line in prediction.logs if not line.startswith(usual)]


def webp(color: str = "teal", size: tuple[int, int] = SQUARE) -> bytes:
    return picture("WEBP", size, color)
