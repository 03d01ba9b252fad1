"""Accounts at the upstream: on which one a prediction draws, and when that has room for it.

Pure, but for the caller's clock. The rows of predictions are the only record of what was sent.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.sealing import Keyring

OPERATORS = ""
"""The account of all that comes without a secret of its caller's: the operator's own."""


@dataclass(frozen=True)
class Allowance:
    """What the operator's account may send. Other accounts' allowances are not known."""

    weight: int | None = None
    """In a window; None is as much as there is."""
    seconds: float = 61.0
    """The window: so long what was sent counts."""


class HeldBack(Exception):
    """An account must wait before anything more is sent for it."""

    def __init__(self, account: str, until: float) -> None:
        super().__init__("an account must wait")
        self.account = account
        self.until = until


@dataclass(frozen=True)
class Counted:
    """A prediction that counts against its account."""

    at: float
    """When it was sent; now, if it is about to be."""
    weight: int


def has_own_account(secrets: Mapping[str, str]) -> bool:
    """Whether these secret inputs are their caller's own; blank ones are as good as none."""
    return any(value.strip() for value in secrets.values())


def account_of(secrets: Mapping[str, str], keyring: Keyring) -> str:
    """The account that a prediction with these secret inputs draws on.

    A keyed hash: what is stored says nothing of the secret to who has only the database.
    """
    if not has_own_account(secrets):
        return OPERATORS
    own = {name: value.strip() for name, value in secrets.items()}
    told = json.dumps(own, sort_keys=True).encode()
    return hmac.new(keyring.signing_keys("accounts")[0], told, hashlib.sha256).hexdigest()


def full_until(counted: Sequence[Counted], weight: int, allowance: Allowance) -> float | None:
    """When there is room for one more of this weight; None if there is now.

    One that is heavier than the whole allowance has room when it is alone: the upstream's own
    refusal says best what to change.

    Args:
        counted: what counts against the account now.
    """
    if allowance.weight is None:
        return None
    total = weight + sum(each.weight for each in counted)
    until = None
    for each in sorted(counted, key=lambda each: each.at):
        if total <= allowance.weight:
            break
        total -= each.weight
        until = each.at + allowance.seconds
    return until
