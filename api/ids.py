"""Ids and the present time."""

import secrets
import time

# Replicate's alphabet: lower-case Crockford base32, without i, l, o and u.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # 32, so that bytes make each as often
LENGTH = 26


def new_id() -> str:
    """26 characters that nobody can guess (130 random bits), in the form of Replicate's ids."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(LENGTH))


def now() -> float:
    """Seconds since the epoch: the one clock of everything that is stored."""
    return time.time()
