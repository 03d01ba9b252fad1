"""What a request will cost, by OpenAI's token formula and list prices: an estimate, said as one."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from dev.data_uris import decoded
from gpt_image.models.sizes import Size as Written
from gpt_image.request import SIZES
from gpt_image.usage import Prices, Usage
from sandbox.job import Size
from sandbox.models import model_of
from sandbox.tokens import usage

QUALITIES = tuple(model_of("gpt-image-2").quality_steps)
"""Those that have a price of their own; auto is one of them."""


@dataclass(frozen=True)
class Estimate:
    """Dollars from `low` to `high`, equal unless size or quality are left to the model."""

    low: float
    high: float
    images: int
    unseen_inputs: int
    """Input images that are not counted, because they are only known by their URL."""

    def __str__(self) -> str:
        amount = f"${self.low:.4f}"
        if self.high > self.low:
            amount += f" to ${self.high:.4f}"
        text = f"about {amount} for {_counted(self.images, 'image')}"
        if self.unseen_inputs:
            text += f", and the tokens of {_counted(self.unseen_inputs, 'input image')}"
        return text


def estimate(inputs: Mapping[str, Any], model: str = "gpt-image-2") -> Estimate | None:
    """The cost of a prediction with these inputs; None where the model has no list price.

    A size or quality that the contract does not have counts as auto, since the server has not
    refused it yet.
    """
    prices = Prices.of(model)
    if prices is None:
        return None
    size = inputs.get("size") or SIZES.get(str(inputs.get("aspect_ratio", "1:1")), "auto")
    named = Written.parse(str(size))
    sizes = [_pixels(each) for each in SIZES.values() if each != "auto"]
    if named:
        sizes = [Size(*named)]
    known = list(model_of(model).quality_steps)
    quality = inputs.get("quality", "auto")
    qualities = [quality] if quality in known else known
    number = inputs.get("number_of_images", 1)
    images = number if isinstance(number, int) else 1
    input_images = [_size_of(each) for each in inputs.get("input_images") or []]
    seen = [each for each in input_images if each]
    prompt = str(inputs.get("prompt", ""))
    costs = [
        _dollars(prices, usage(prompt, seen, each, level, images, model).body())
        for each in sizes
        for level in qualities
    ]
    return Estimate(min(costs), max(costs), images, len(input_images) - len(seen))


def of_one_picture(size: str, quality: str) -> float:
    """List price in dollars of the output tokens of one `WIDTHxHEIGHT` picture."""
    prices = Prices.of("gpt-image-2")
    assert prices  # noqa: S101 - a test shows the table that is made of this
    return usage("", [], _pixels(size), quality, 1).output * prices.image_out


def _dollars(prices: Prices, counts: Mapping[str, object]) -> float:
    return prices.cost(Usage.from_answer(counts)) or 0.0


def _size_of(image: object) -> Size | None:
    try:
        content, _ = decoded(str(image))
        with Image.open(io.BytesIO(content)) as opened:
            return Size(*opened.size)
    except (ValueError, OSError):
        return None


def _pixels(size: str) -> Size:
    width, height = size.split("x")
    return Size(int(width), int(height))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
