"""What is measured: the kinds of prediction, and how many of them at once."""

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PIL import Image

BOUNDARY = "benchmark-boundary"
INPUT_SIDE = 1320  # pixels; noise of this size is a PNG of 5.2 MB


@dataclass(frozen=True)
class Cell:
    """One row of the tables: `requests` predictions of a kind, `in_flight` at once.

    `delay` is the upstream's rendering time in seconds; `seconds` bounds the cell's time: after
    it no further request is started.
    """

    name: str
    kind: Literal["webp", "png", "edit", "edit-webp", "ten"]
    in_flight: int
    requests: int
    delay: float = 0.0
    seconds: float = 0.8

    @property
    def arguments(self) -> dict[str, Any]:
        """What the Images API is asked for, apart from input images."""
        prompt = "A lighthouse at dusk"
        if self.delay:
            prompt += f" [sandbox:slow seconds={self.delay:g}]"
        common = {"model": "gpt-image-2", "prompt": prompt, "n": 10 if self.kind == "ten" else 1}
        if self.is_webp:
            webp = {"output_format": "webp", "output_compression": 90}  # the contract's defaults
            return common | {"size": "1024x1024"} | webp
        return common | {"size": "3840x2160", "output_format": "png"}

    @property
    def is_webp(self) -> bool:
        """Whether the answer is a 1024 WebP, and not 4K PNGs."""
        return self.kind in {"webp", "edit-webp"}

    @property
    def input_count(self) -> int:
        return 3 if self.kind in {"edit", "edit-webp"} else 0


TEN = Cell("ten 4K PNGs, 1 in flight", "ten", 1, 1)
LIGHT = (
    Cell("1024 WebP, 1 in flight, 0 s", "webp", 1, 200),
    Cell("1024 WebP, 8 in flight, 0 s", "webp", 8, 200),
    Cell("1024 WebP, 64 in flight, 0 s", "webp", 64, 128),
    Cell("1024 WebP, 256 in flight, 0 s", "webp", 256, 256),
    Cell("1024 WebP, 1 in flight, 2 s", "webp", 1, 1, delay=2.0),
    Cell("1024 WebP, 8 in flight, 2 s", "webp", 8, 8, delay=2.0),
    Cell("1024 WebP, 64 in flight, 2 s", "webp", 64, 64, delay=2.0),
    Cell("1024 WebP, 256 in flight, 2 s", "webp", 256, 256, delay=2.0),
)
# Those that take more memory come later, because a server keeps much of what it once took.
HEAVY = (
    Cell("edit of three 5 MB inputs to a 4K PNG, 1 in flight", "edit", 1, 2),
    TEN,
    Cell("edit of three 5 MB inputs to a 4K PNG, 8 in flight", "edit", 8, 8),
)
# As many as Python and the libraries need until a prediction takes what it will go on taking.
WARM_UP = Cell("warm-up", "webp", 2, 40)
SMOKE = replace(LIGHT[1], requests=24)


@dataclass(frozen=True)
class Request:
    """An HTTP request without what depends on the server."""

    path: str
    content_type: str
    body: bytes
    sign_of_success: str
    headers: tuple[str, ...] = ()

    def to_bytes(self, key: str | None = None) -> bytes:
        lines = [
            f"POST {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *self.headers,
        ]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Inputs:
    """The input images of edits, drawn once into `folder`."""

    def __init__(self, folder: Path) -> None:
        self.files = [folder / f"input-{index}.png" for index in range(3)]
        dice = random.Random(1)
        for file in self.files:
            noise = dice.randbytes(3 * INPUT_SIDE * INPUT_SIDE)
            Image.frombytes("RGB", (INPUT_SIDE, INPUT_SIDE), noise).save(file, compress_level=1)


def to_cog(cell: Cell, inputs: Inputs) -> Request:
    """As a Cog predictor takes it: JSON, with input images as data URIs."""
    asked = cell.arguments
    fields = {"prompt": asked["prompt"]}
    if not cell.is_webp:
        fields |= {"aspect_ratio": asked["size"], "output_format": "png"}
    if asked["n"] > 1:
        fields["number_of_images"] = asked["n"]
    if cell.input_count:
        fields["input_images"] = [
            "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()
            for file in inputs.files[: cell.input_count]
        ]
    body = json.dumps({"input": fields}).encode()
    return Request("/predictions", "application/json", body, '"status":"succeeded"')


def to_images_api(cell: Cell, inputs: Inputs) -> Request:
    """As OpenAI takes it: JSON, or a form with the input images as files."""
    if not cell.input_count:
        body = json.dumps(cell.arguments).encode()
        return Request("/v1/images/generations", "application/json", body, '"b64_json"')
    body = _form(cell.arguments, inputs.files[: cell.input_count])
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return Request("/v1/images/edits", content_type, body, '"b64_json"')


def _form(fields: Mapping[str, object], files: list[Path]) -> bytes:
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    for file in files:
        head = f'Content-Disposition: form-data; name="image[]"; filename="{file.name}"'
        parts.append(f"{head}\r\nContent-Type: image/png\r\n\r\n".encode() + file.read_bytes())
    delimiter = f"--{BOUNDARY}\r\n".encode()
    return b"".join([delimiter + part + b"\r\n" for part in parts]) + f"--{BOUNDARY}--\r\n".encode()
