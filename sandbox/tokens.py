"""What a request costs: tokens by size and quality, and dollars by tokens."""

import math
from typing import Final

from sandbox.job import Job, Size, Usage
from sandbox.models import model_of
from sandbox.sizes import sheet

_PATCH: Final = 32
_MAX_PATCHES: Final = 1536
_LEAST_TOKENS: Final = 1024
_MOST_TOKENS: Final = 1521
_PARTIAL: Final = 100
_DOLLARS_PER_MILLION: Final = {"text": 5.0, "image": 8.0, "output": 30.0}


def output_tokens(size: Size, quality: str, model: str = "gpt-image-2") -> int:
    """Return the output tokens of one image of ``size`` pixels.

    The formula matches every count published for gpt-image-2 (live probes of 2026-04-28 and the
    prices in OpenAI's image guide), and with steps of their own every price of the 2.5 models.
    """
    steps = model_of(model).quality_steps[quality]
    short, long = sorted((size.width, size.height))
    short_steps = (2 * steps * short + long) // (2 * long)
    return math.ceil(steps * short_steps * (2_000_000 + size.width * size.height) / 4_000_000)


def image_tokens(size: Size) -> int:
    """Estimate the input tokens of one image: 32-pixel patches, shrunk to fit 1536 of them.

    OpenAI publishes no formula for gpt-image-2. This is the one of its vision guide (for other
    models), both steps of it, held between the least and the most that were counted live for
    gpt-image-2: 1024 for 512x512 and for 1024x1024, 1521 for 2048x2048 and for 4000x4000.

    Below 1024x1024 the sources disagree: a live table says 1024, the price list of a reseller
    fewer, one log 361. The live table is the only count with a known size, so it is followed.
    """
    return min(_MOST_TOKENS, max(_LEAST_TOKENS, _patches(size)))


def _patches(size: Size) -> int:
    patches = math.ceil(size.width / _PATCH) * math.ceil(size.height / _PATCH)
    if patches <= _MAX_PATCHES:
        return patches
    scale = math.sqrt(_MAX_PATCHES * _PATCH**2 / (size.width * size.height))
    wide, tall = size.width * scale / _PATCH, size.height * scale / _PATCH
    if wide < 1 or tall < 1:
        return _MAX_PATCHES
    # Shrunk once more, until one side is a whole number of patches; what rounding adds to it
    # must not become a patch of its own.
    scale = min(int(wide) / wide, int(tall) / tall)
    return math.ceil(round(wide * scale, 6)) * math.ceil(round(tall * scale, 6))


def text_tokens(prompt: str) -> int:
    """Estimate the input tokens of a prompt: about four bytes of UTF-8 to a token."""
    return max(1, math.ceil(len(prompt.encode("utf-8", "replace")) / 4))


def usage(
    prompt: str,
    inputs: list[Size],
    size: Size,
    quality: str,
    n: int,
    model: str = "gpt-image-2",
    partials: int = 0,
) -> Usage:
    """Return what a request for ``n`` images is billed for, each with so many partial ones."""
    return Usage(
        text=text_tokens(prompt),
        image=sum(image_tokens(each) for each in inputs),
        output=n * (output_tokens(size, quality, model) + partials * _PARTIAL),
    )


def usage_of(job: Job) -> Usage:
    """Return what a job is billed for. That a gif costs what its sheet costs is assumed."""
    size = sheet(job.size, job.frames) if job.frames > 1 else job.size
    return usage(
        job.prompt,
        list(job.input_sizes),
        size,
        job.quality,
        job.n,
        job.model,
        job.partial_images,
    )


def cost_usd(used: Usage) -> float:
    """Return the price in US dollars, by OpenAI's list prices of 2026 without cached input."""
    price = _DOLLARS_PER_MILLION
    total = used.text * price["text"] + used.image * price["image"] + used.output * price["output"]
    return total / 1_000_000
