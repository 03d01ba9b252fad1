"""Secrets at rest: encrypted under the operator's key, each bound to the row it belongs to."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.settings import BadSettings, Settings

_KEY_BYTES = 32
_KEY_FILE = "encryption.key"
_NAME_BYTES = 4  # of a key's name, which leads what was sealed with it
_NONCE_BYTES = 12


class NotOpened(Exception):
    """What was sealed cannot be opened: its key is gone, or it belongs to another row."""


class Keyring:
    """The keys, newest first; each purpose has a key of its own, derived from them."""

    def __init__(self, keys: list[bytes]) -> None:
        self._sealing = {
            _derived(key, "name")[:_NAME_BYTES]: AESGCM(_derived(key, "seal")) for key in keys
        }
        self._newest = next(iter(self._sealing))
        self._keys = keys

    def seal(self, text: str, bound_to: str) -> bytes:
        """`text`, encrypted with the newest key so that it opens only with the same `bound_to`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._sealing[self._newest]
        return self._newest + nonce + cipher.encrypt(nonce, text.encode(), bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> str:
        """What was sealed.

        Raises:
            NotOpened: no key that we still have opens it for `bound_to`.
        """
        name, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:]
        nonce, encrypted = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return self._sealing[name].decrypt(nonce, encrypted, bound_to.encode()).decode()
        except (KeyError, InvalidTag):
            raise NotOpened from None

    def signing_keys(self, purpose: str) -> list[bytes]:
        """32 bytes for each key, newest first: sign with the first, accept any."""
        return [_derived(key, f"sign {purpose}") for key in self._keys]


def read_keyring(settings: Settings) -> Keyring:
    """The operator's keys, or the key file's, which is made where there is none.

    Raises:
        BadSettings: a key is no 32 bytes in base64, or the file cannot be read; or there is none,
            where several processes must have the same.
    """
    if settings.encryption_keys:
        texts = settings.encryption_keys.get_secret_value().split(",")
        return Keyring([_decoded(text) for text in texts])
    if settings.is_shared:
        raise BadSettings(
            "With API_DATABASE_URL, API_ENCRYPTION_KEYS must be set, the same for every process, "
            "since each must open what another has stored; `openssl rand -base64 32` makes one."
        )
    return Keyring([_decoded(_key_file(settings.data_directory / _KEY_FILE))])


def _key_file(file: Path) -> str:
    try:
        if not file.exists():
            write_private(file, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
        return file.read_text()
    except OSError as error:
        raise BadSettings(f"The key file {file} cannot be used: {error.strerror}.") from None


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, safe from a power cut."""
    part = file.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(text)
        written.flush()
        os.fsync(descriptor)
    part.replace(file)


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise BadSettings(
            "API_ENCRYPTION_KEYS must hold keys of 32 bytes in base64, separated by commas; "
            "`openssl rand -base64 32` makes one."
        )
    return key


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
