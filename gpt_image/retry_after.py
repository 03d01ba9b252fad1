"""How long an upstream asks us to wait, wherever it says so."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(headers: Mapping[str, str], message: str) -> float | None:
    """Seconds to wait, or None where nothing readable was said.

    Sources, best first: `retry-after-ms`, `Retry-After` in seconds or as a date (RFC 9110,
    10.2.3), and OpenAI's "Please try again in 1m12.5s" in the error's message.
    """
    if (wait := _number(headers.get("retry-after-ms", ""))) is not None:
        return wait / 1000
    header = headers.get("retry-after", "")
    if (wait := _number(header)) is not None:
        return wait
    if (wait := _until(header)) is not None:
        return wait
    return _from_message(message)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(text: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _from_message(message: str) -> float | None:
    found = re.search(r"try again in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)", message, re.IGNORECASE)
    if not found:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", found[1], re.IGNORECASE)
    return sum(float(amount) * _UNITS[unit.lower()] for amount, unit in parts)
