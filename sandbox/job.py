"""The values that pass between the sandbox's modules."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from PIL import Image

Endpoint = Literal["generations", "edits"]


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Part:
    """One part of a form: text without a ``filename``, an upload with one."""

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


@dataclass(frozen=True)
class Usage:
    """Tokens of one request, input text and input images apart."""

    text: int
    image: int
    output: int

    def body(self) -> dict[str, object]:
        """Return the ``usage`` object of an answer."""
        return {
            "input_tokens": self.text + self.image,
            "input_tokens_details": {"image_tokens": self.image, "text_tokens": self.text},
            "output_tokens": self.output,
            "output_tokens_details": {"image_tokens": self.output, "text_tokens": 0},
            "total_tokens": self.text + self.image + self.output,
        }


@dataclass(frozen=True)
class Job:
    """A request that passed every rule, with ``auto`` already resolved."""

    endpoint: Endpoint
    model: str
    prompt: str
    n: int
    size: Size
    quality: str
    background: str
    output_format: str
    compression: int
    safety_identifier: str | None
    inputs: tuple[Image.Image, ...]
    input_sizes: tuple[Size, ...]
    mask: Image.Image | None = None
    frames: int = 1
    """Of a gif; anything else has one."""
    frame_ms: int = 0
    stream: bool = False
    partial_images: int = 0
