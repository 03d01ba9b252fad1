"""The headers of every answer of the API, as a dump of a real one and the documents have them."""

import time
import uuid
from typing import Final

_VERSION: Final = "2020-10-01"
_LIMITS: Final = {
    # The limits reported for the highest tier, and what one request has taken of them.
    "requests": ("500", "499", "120ms"),
    "tokens": ("8000000", "7999904", "1ms"),
    "input-images": ("250", "249", "240ms"),
}


def api_headers(request_id: str, started: float) -> dict[str, str]:
    """Return the headers of an answer; ``started`` is on the monotonic clock."""
    limits = {
        f"x-ratelimit-{what}-{kind}": value
        for kind, values in _LIMITS.items()
        for what, value in zip(("limit", "remaining", "reset"), values, strict=True)
    }
    return {
        "content-type": "application/json",
        "openai-organization": "org-sandbox",
        "openai-processing-ms": f"{(time.monotonic() - started) * 1000:.0f}",
        "openai-version": _VERSION,
        "x-request-id": request_id,
        **limits,
        "x-content-type-options": "nosniff",
        "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
        "server": "cloudflare",
        "cf-ray": f"{uuid.uuid4().hex[:16]}-SBX",
    }


def spent(kind: str, limit: int, reset: str) -> dict[str, str]:
    """Return the headers of a limit that is used up, for ``reset`` as in ``58.891s``."""
    return {
        f"x-ratelimit-limit-{kind}": str(limit),
        f"x-ratelimit-remaining-{kind}": "0",
        f"x-ratelimit-reset-{kind}": reset,
    }


def new_request_id() -> str:
    """Return a request id in the API's form."""
    return f"req_{uuid.uuid4().hex}"
