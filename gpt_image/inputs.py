"""What a caller asks for, as Cog hands it over: the inputs of both contracts, the key apart."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Checked by Cog for type and choices alone; a file may still be any string."""

    prompt: str
    aspect_ratio: str = "1:1"
    input_images: Sequence[object] | None = None
    number_of_images: float = 1
    """Cog lets 3.0 through to an int input as a float (measured on Cog 0.23.1)."""
    quality: str = "auto"
    background: str = "auto"
    output_compression: float = 90
    output_format: str = "webp"
    moderation: str = "auto"
    user_id: str | None = None

    model: str | None = None
    """None where the caller did not choose: the operator's."""
    size: str | None = None
    """Wins over aspect_ratio."""
    mask: object | None = None
    markup: object | None = None
    complexity: str | None = None
