"""What clients ask for in headers: `Prefer: wait` and `Cancel-After`."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from api.errors import Unprocessable

_LONGEST_WAIT = 60
_ANSWER_WITHIN = 55.0  # seconds; replicate 2.0.0b4 gives up after 60, and sends again
_WAIT = re.compile(r"\s*wait\s*(?:=\s*\"?([^\"\s]*)\"?)?\s*", re.IGNORECASE)
_CANCEL_AFTER = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s?)?")
_SHORTEST_LIFE = 5


@dataclass(frozen=True)
class Wait:
    """How long a caller wants to wait for the end."""

    seconds: float
    applied: str
    """The value of `Preference-Applied`."""


def wait_of(headers: Headers) -> Wait | None:
    """The wait that `Prefer` asks for, if any; more than 60 s count as 60.

    Raises:
        Unprocessable: it is no whole number of seconds from 1.
    """
    preferences = ",".join(headers.getlist("prefer")).replace(";", ",").split(",")
    for preference in preferences:
        if match := _WAIT.fullmatch(preference):
            text = match[1]
            if text is None:
                return Wait(_ANSWER_WITHIN, "wait")
            if not re.fullmatch("[1-9][0-9]{0,5}", text):
                raise Unprocessable("Prefer: wait=n needs a whole number of seconds, 1 to 60.")
            seconds = min(int(text), _LONGEST_WAIT)
            return Wait(min(seconds, _ANSWER_WITHIN), f"wait={seconds}")
    return None


def cancel_after(headers: Headers) -> float | None:
    """Seconds after its creation by which the prediction must have ended, if the caller says so.

    Raises:
        Unprocessable: it is no duration such as 30, 30s, 5m or 1h30m45s, or below 5 s.
    """
    text = headers.get("cancel-after")
    if text is None:
        return None
    match = _CANCEL_AFTER.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise Unprocessable("Cancel-After needs a duration such as 30s, 5m or 1h30m45s.")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total < _SHORTEST_LIFE:
        raise Unprocessable(f"Cancel-After must be {_SHORTEST_LIFE} seconds or more.")
    return float(total)
