"""Which predictions a soak of the API makes, and how their callers behave, from a seed."""

import random
import secrets
from dataclasses import dataclass, replace

from benchmarks.soak.plan import CANCEL, HANG_UP, WELL, Planned, planned
from sandbox.faults import FAULTS
from sandbox.gateway import QUIRKS

WAITS = "waits"
POLLS = "polls"
COUNTS_RETRIES = "sends again and counts"
"""As Stainless' clients do, which give up waiting and say how often they have sent it."""
SENDS_AGAIN = "hangs up and sends again"
"""As replicate-javascript does when a connection drops, without a word about it."""
LEAVES = "hangs up for good"
CANCELS = "cancels"

CANARY = "test-key-canary-"
_FAULTS_SHARE = 0.6
_WHILE_DRAWING = 1.5  # seconds; pictures of these callers take 3


@dataclass(frozen=True)
class Call:
    """One prediction that somebody wants."""

    planned: Planned
    behaviour: str
    after: float
    """Seconds until the caller hangs up or cancels."""

    @property
    def number(self) -> int:
        """In the ledger."""
        return self.planned.number


def draw(total: int, seed: int, picture: str) -> list[Call]:
    """`total` calls in random order: every fault as often as the others, and every behaviour.

    Args:
        picture: a data URI, the input image of those that are edits.
    """
    dice = random.Random(seed)
    faults = [*FAULTS, *QUIRKS, WELL]
    deck = [
        (faults[index % len(faults)], dice.choice((WAITS, POLLS, COUNTS_RETRIES)))
        for index in range(int(total * _FAULTS_SHARE))
    ]
    slow = ((HANG_UP, SENDS_AGAIN), (HANG_UP, LEAVES), (CANCEL, CANCELS), (WELL, COUNTS_RETRIES))
    deck += [slow[index % len(slow)] for index in range(total - len(deck))]
    dice.shuffle(deck)
    return [
        _call(number, kind, behaviour, dice.uniform(0, _WHILE_DRAWING), picture)
        for number, (kind, behaviour) in enumerate(deck, start=1)
    ]


def _call(number: int, kind: str, behaviour: str, after: float, picture: str) -> Call:
    plain = planned(number, kind, picture)
    key = f"{CANARY}{secrets.token_hex(12)}"
    return Call(replace(plain, inputs=plain.inputs | {"openai_api_key": key}), behaviour, after)
