"""What a prompt says to the sandbox itself: ``[sandbox:name option=value]`` and ``[#123]``."""

import re
from dataclasses import dataclass
from typing import Final

from sandbox.errors import ApiError

_MARKER = re.compile(r"\[sandbox:([a-z0-9-]+)((?:\s+[a-z-]+=[^\s\]]+)*)\s*\]")
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")
_NUMBER = re.compile(r"\[#(\d{1,12})\]")

MODIFIERS: Final = {"slow": "rendering takes seconds=S (1), whatever the latency is"}


@dataclass(frozen=True)
class Marker:
    """A name and its options, all as text."""

    name: str
    options: tuple[tuple[str, str], ...] = ()

    def text(self, option: str, default: str) -> str:
        """Return an option as it was written."""
        return dict(self.options).get(option, default)

    def number(self, option: str, default: float) -> float:
        """Return an option as a number from 0 to a million; raises ``ApiError`` for others."""
        text = dict(self.options).get(option)
        if text is None:
            return default
        if not _DECIMAL.fullmatch(text):
            message = f"[sandbox:{self.name}] needs a number from 0 to 999999 for '{option}'."
            raise ApiError(400, message, code="sandbox_marker")
        return float(text)


def markers(prompt: str) -> list[Marker]:
    """Return the markers in a prompt, in their order."""
    return [Marker(match[1], _options(match[2])) for match in _MARKER.finditer(prompt)]


def _options(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (option.partition("=") for option in text.split())
    return tuple((name, value) for name, _, value in pairs)


def prompt_number(prompt: str) -> int | None:
    """Return the number by which a soak finds its prompt in the ledger."""
    match = _NUMBER.search(prompt)
    return int(match[1]) if match else None


def asked_latency(prompt: str, default: float) -> float:
    """Return the seconds that rendering is to take, by ``[sandbox:slow seconds=S]``."""
    for marker in markers(prompt):
        if marker.name == "slow":
            return marker.number("seconds", 1)
    return default


def without_markers(prompt: str) -> str:
    """Return the prompt as a person means it."""
    return " ".join(_NUMBER.sub(" ", _MARKER.sub(" ", prompt)).split())
