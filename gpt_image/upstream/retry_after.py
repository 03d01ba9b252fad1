"""How long an upstream asks us to wait, wherever it says so."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_LONGEST = 7 * 86400.0  # seconds; beyond any deadline, so a longer wait makes no difference

# OpenAI writes "1m12.5s" and LiteLLM "5 seconds".
_PART = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|[smh])(?:econds?|inutes?|ours?)?(?![a-z])", re.IGNORECASE
)


def seconds(headers: Mapping[str, str], message: str) -> float | None:
    """Seconds to wait, or None where nothing readable was said.

    Sources, best first: `retry-after-ms`, `Retry-After` in seconds or as a date (RFC 9110,
    10.2.3), and "Please try again in ..." in the error's message.
    """
    wait = _as_said(headers, message)
    return None if wait is None else min(wait, _LONGEST)


def _as_said(headers: Mapping[str, str], message: str) -> float | None:
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
    found = re.search(rf"try again in ((?:{_PART.pattern}\s*)+)", message, re.IGNORECASE)
    if not found:
        return None
    parts = _PART.findall(found[1])
    return sum(float(amount) * _UNITS[unit.lower()] for amount, unit in parts)
