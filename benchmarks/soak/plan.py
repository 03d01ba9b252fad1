"""Which predictions a soak makes, from a seed."""

import random
from dataclasses import dataclass
from typing import Any

from sandbox.faults import BEFORE_READ, FAULTS
from sandbox.gateway import QUIRKS

WELL = "well"
CANCEL = "cancel"
HANG_UP = "hang-up"
LEAVES = frozenset({CANCEL, HANG_UP})
"""What a caller does once the upstream has the request."""

# A retry is tried against these, so every other time they go away by themselves.
_PASSING = frozenset(
    {"500-json", "503-json", "generation-failed", "overloaded", "slow-down"}
    | {"rate-limit", "rate-limit-date", "rate-limit-message", "rate-limit-bare"}
)
_ON_EDITS_ONLY = "no-moderation-on-edits"
# BEFORE_READ is on generations only: the first bytes of a form need not hold the prompt.


@dataclass(frozen=True)
class Planned:
    """One prediction: its number in the ledger, what goes wrong, and its inputs."""

    number: int
    kind: str
    inputs: dict[str, Any]


def kinds() -> list[str]:
    """Every fault and gateway quirk of the sandbox, callers that leave, and all going well."""
    return [*FAULTS, *QUIRKS, CANCEL, HANG_UP, WELL]


def draw(total: int, seed: int, picture: str) -> list[Planned]:
    """`total` predictions in random order, each kind as often as the others.

    Args:
        picture: a data URI, the input image of those that are edits.
    """
    names = kinds()
    deck = [names[index % len(names)] for index in range(total)]
    random.Random(seed).shuffle(deck)
    return [planned(number, kind, picture) for number, kind in enumerate(deck, start=1)]


def planned(number: int, kind: str, picture: str) -> Planned:
    """The prediction that meets this kind of fault."""
    inputs: dict[str, Any] = {
        "prompt": f"A lighthouse at dusk [#{number}]{_marker(number, kind)}",
        "number_of_images": 1 + number % 2,
        "user_id": "soak",
    }
    if kind == _ON_EDITS_ONLY or (number % 5 == 0 and kind != BEFORE_READ):
        inputs |= {"input_images": [picture], "moderation": "low"}
    return Planned(number, kind, inputs)


def _marker(number: int, kind: str) -> str:
    if kind == WELL:
        return ""
    if kind in LEAVES:
        return " [sandbox:slow seconds=3]"
    return f" [sandbox:{kind}{' times=1' if kind in _PASSING and number % 2 else ''}]"
