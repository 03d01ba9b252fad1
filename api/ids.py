"""Ids and the present time."""

import secrets
import time

# Replicate's alphabet: lower-case Crockford base32, without i, l, o and u.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26


def new_id() -> str:
    """26 characters that nobody can guess (130 random bits), in the form of Replicate's ids."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def now() -> float:
    """Seconds since the epoch: the one clock of everything that is stored."""
    return time.time()
