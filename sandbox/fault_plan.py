"""When something goes wrong: which request gets which fault.

A prompt asks for a fault with ``[sandbox:NAME]``; ``times=N`` lets it happen only to the first N
requests with that prompt, so that a retry can succeed. ``SANDBOX_FAULT_RATE`` spreads faults over
requests from ``SANDBOX_SEED``, by the order in which they arrive.
"""

import random
from collections import Counter
from dataclasses import dataclass

from sandbox.errors import ApiError
from sandbox.faults import BEFORE_READ, FAULTS, Fault
from sandbox.gateway import QUIRKS
from sandbox.markers import MODIFIERS, Marker, markers, prompt_number
from sandbox.settings import Settings


def refuse_unknown_markers(prompt: str) -> None:
    """Raise ``ApiError`` for a marker that means nothing, which a test would take for a fault."""
    for marker in markers(prompt):
        if not any(marker.name in names for names in (FAULTS, QUIRKS, MODIFIERS)):
            message = f"The sandbox knows no fault, quirk or modifier '{marker.name}'."
            raise ApiError(400, message, code="sandbox_marker")


@dataclass(frozen=True)
class Chosen:
    """A fault, and the marker that asked for it."""

    fault: Fault
    marker: Marker


class FaultPlan:
    """Decides which request gets which fault."""

    def __init__(self, settings: Settings) -> None:
        self._rate = settings.fault_rate
        self._seed = settings.seed
        self._names = settings.faults or tuple(FAULTS)
        unknown = [name for name in self._names if name not in FAULTS]
        if unknown:
            raise ValueError(f"SANDBOX_FAULTS names no such fault: {', '.join(unknown)}")
        self._arrived = 0
        self._seen: Counter[tuple[str, str]] = Counter()

    def by_rate(self) -> Chosen | None:
        """Return the fault for the request that arrives now, known before it is read."""
        self._arrived += 1
        if not self._rate:
            return None
        dice = random.Random(f"{self._seed}/{self._arrived}")
        if dice.random() >= self._rate:
            return None
        name = dice.choice(self._names)
        return Chosen(FAULTS[name], Marker(name))

    def before_read(self, beginning: str) -> Chosen | None:
        """Return the reset that a body asks for in its first bytes, before the rest is read.

        The prompt is not known yet, so ``times`` is counted by the marker and the prompt's number.
        """
        for marker in markers(beginning):
            key = f"{prompt_number(beginning)} {marker}"
            if marker.name == BEFORE_READ and self._still_due(key, marker):
                return Chosen(FAULTS[BEFORE_READ], marker)
        return None

    def by_marker(self, prompt: str) -> Chosen | None:
        """Return the first fault that the prompt asks for and that is not used up."""
        for marker in markers(prompt):
            fault = FAULTS.get(marker.name)
            if fault is None or fault.name == BEFORE_READ:
                continue
            if self._still_due(prompt, marker):
                return Chosen(fault, marker)
        return None

    def _still_due(self, prompt: str, marker: Marker) -> bool:
        seen = (prompt, marker.name)
        self._seen[seen] += 1
        return self._seen[seen] <= marker.number("times", float("inf"))
