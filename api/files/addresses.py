"""Addresses of files: on our own origin, signed, expiring, good for whoever has them."""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from api.ids import now

_ID = "(?P<id>[0-9a-z]{26})"
_SIGNED = re.compile(rf"/files/{_ID}/(?P<expiry>[0-9]+)/(?P<signature>[\w-]{{43}})(/[^/]*)?")
_EXPIRY = re.compile("[0-9]{1,12}")
_REPLICATE = re.compile(rf"(/v1)+/files/{_ID}(?P<download>/download)?/?")


@dataclass(frozen=True)
class Address:
    """What an address says, not yet believed."""

    id: str
    expiry: str = ""
    """Seconds since the epoch; empty where nothing is signed."""
    signature: bytes = b""


class Signer:
    """Signs with the first key and knows its signatures with any.

    The text that is signed is Replicate's (its API description, files.download).
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def address(self, origin: str, owner: str, file_id: str, name: str, expires_at: float) -> str:
        """Ends with the file's name, since people take names and types from there."""
        expiry = str(int(expires_at))
        signature = base64.urlsafe_b64encode(self._sign(self._keys[0], owner, file_id, expiry))
        path = f"{file_id}/{expiry}/{signature.decode().rstrip('=')}/{quote(name, safe='')}"
        return f"{origin}/files/{path}"

    def download_query(self, owner: str, file_id: str, expires_at: float) -> dict[str, str]:
        """The query of Replicate's address for downloads."""
        expiry = str(int(expires_at))
        signature = base64.b64encode(self._sign(self._keys[0], owner, file_id, expiry))
        return {"owner": owner, "expiry": expiry, "signature": signature.decode()}

    def holds(self, address: Address, owner: str) -> bool:
        """Whether we signed it for a file of this owner, and it is still good."""
        return (
            _EXPIRY.fullmatch(address.expiry) is not None
            and int(address.expiry) > now()
            and any(
                hmac.compare_digest(
                    self._sign(key, owner, address.id, address.expiry), address.signature
                )
                for key in self._keys
            )
        )

    def _sign(self, key: bytes, owner: str, file_id: str, expiry: str) -> bytes:
        return hmac.digest(key, f"{owner} {file_id} {expiry}".encode(), "sha256")


def read_address(url: str) -> Address | None:
    """What the path of one of our addresses says; None for every other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if match := _SIGNED.fullmatch(parts.path):
        return Address(match["id"], match["expiry"], decoded(match["signature"]))
    if match := _REPLICATE.fullmatch(parts.path):
        query = parse_qs(parts.query) if match["download"] else {}
        expiry, signature = query.get("expiry", [""])[0], query.get("signature", [""])[0]
        return Address(match["id"], expiry, decoded(signature))
    return None


def decoded(signature: str) -> bytes:
    """From base64 in either alphabet, padded or not; empty if it is neither."""
    standard = signature.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
