"""Rate limits that no waiting mends: the request alone is larger than the limit."""

import re

from gpt_image.errors import GptImageError, QuotaExceeded, RequestRejected
from gpt_image.upstream.asked import Asked

LIMITS_URL = "https://platform.openai.com/settings/organization/limits"

# "... on input-images per min: Limit 5, Requested 10", with "Used 3" between them or not (OpenAI
# Images API facts, additions of 2026-11-21).
_NUMBERS = re.compile(r"on ([\w-]+) per [^:]*: limit (\d+),.*?requested (\d+)", re.IGNORECASE)


def never_passes(message: str, asked: Asked, suffix: str) -> GptImageError | None:
    """The final error that a 429's message tells of; None where waiting may help."""
    numbers = _NUMBERS.search(message)
    if not numbers:
        return None
    unit, limit, requested = numbers[1].lower(), int(numbers[2]), int(numbers[3])
    if requested <= limit:
        return None
    if limit == 0:
        return QuotaExceeded(
            f"The account behind {asked.credential} has a rate limit of 0 {unit} per minute for "
            f"{asked.model}, so no request can pass; add a payment method or raise the limit at "
            f"{LIMITS_URL}{suffix}."
        )
    fitting = _images_that_fit(unit, limit, requested, asked.request.n)
    mend = (
        f"set number_of_images to {fitting} or less"
        if 0 < fitting < asked.request.n
        else "send fewer or smaller input images"
    )
    return RequestRejected(
        f"The request can never pass, because it needs {requested} {unit} per minute and the "
        f"account behind {asked.credential} has a rate limit of {limit}; {mend}, or raise the "
        f"limit at {LIMITS_URL}{suffix}."
    )


def _images_that_fit(unit: str, limit: int, requested: int, images: int) -> int:
    if "image" not in unit:  # tokens, which grow with the number of images
        return limit * images // requested
    input_images = max(0, requested - images)  # they count too
    return limit - input_images
