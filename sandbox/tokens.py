"""What a request costs: tokens by size and quality, and dollars by tokens."""

import math
from typing import Final

from sandbox.job import Size, Usage

_QUALITY_STEPS: Final = {"low": 16, "medium": 48, "high": 96}
_PATCH: Final = 32
_MAX_PATCHES: Final = 1536
_DOLLARS_PER_MILLION: Final = {"text": 5.0, "image": 8.0, "output": 30.0}


def output_tokens(size: Size, quality: str) -> int:
    """Return the output tokens of one image of ``size`` pixels.

    The formula matches every count published for gpt-image-2 (live probes of 2026-04-28 and the
    prices in OpenAI's image guide).
    """
    steps = _QUALITY_STEPS[quality]
    short, long = sorted((size.width, size.height))
    short_steps = (2 * steps * short + long) // (2 * long)
    return math.ceil(steps * short_steps * (2_000_000 + size.width * size.height) / 4_000_000)


def image_tokens(size: Size) -> int:
    """Estimate the input tokens of one image: 32-pixel patches, shrunk to fit 1536 of them.

    OpenAI publishes no formula for gpt-image-2. This one agrees with the live counts for images
    from 1024x1024 up (1024x1024 gives 1024, 2048x2048 gives 1521) and is too low below that.
    """
    patches = math.ceil(size.width / _PATCH) * math.ceil(size.height / _PATCH)
    if patches <= _MAX_PATCHES:
        return patches
    scale = math.sqrt(_MAX_PATCHES / (size.width * size.height))
    return max(1, int(size.width * scale)) * max(1, int(size.height * scale))


def text_tokens(prompt: str) -> int:
    """Estimate the input tokens of a prompt: about four bytes of UTF-8 to a token."""
    return max(1, math.ceil(len(prompt.encode("utf-8", "replace")) / 4))


def usage(prompt: str, inputs: list[Size], size: Size, quality: str, n: int) -> Usage:
    """Return what a request for ``n`` images is billed for."""
    return Usage(
        text=text_tokens(prompt),
        image=sum(image_tokens(each) for each in inputs),
        output=n * output_tokens(size, quality),
    )


def cost_usd(used: Usage) -> float:
    """Return the price in US dollars, by OpenAI's list prices of 2026 without cached input."""
    price = _DOLLARS_PER_MILLION
    total = used.text * price["text"] + used.image * price["image"] + used.output * price["output"]
    return total / 1_000_000
