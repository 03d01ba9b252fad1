"""One row of the table of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpt_image.models.sizes import SizeRule


@dataclass(frozen=True)
class ListPrices:
    """Dollars for a million tokens, none of them cached."""

    text_in: float
    image_in: float
    text_out: float
    image_out: float


@dataclass(frozen=True)
class Model:
    """What one model draws and takes."""

    name: str
    source: str
    """Where this row comes from."""
    sizes: SizeRule
    qualities: tuple[str, ...]
    """From the lowest to the highest; `auto` goes with all of them."""
    formats: tuple[str, ...]
    parameters: frozenset[str]
    """Which of `mask`, `markup` and `complexity` it takes."""
    mask_bytes: int
    """A mask stays below this."""
    sizes_by_format: Mapping[str, SizeRule] = field(default_factory=dict)
    """Where a format has sizes of its own."""
    prices: ListPrices | None = None
    """None where the library genai-prices knows them."""

    def sizes_of(self, output_format: str) -> SizeRule:
        return self.sizes_by_format.get(output_format, self.sizes)
