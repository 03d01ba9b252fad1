"""Who may use the sandbox: any key that does not say that it is invalid."""

import secrets

from sandbox.errors import key_missing, key_rejected
from sandbox.settings import Settings


def check_key(authorization: str | None, settings: Settings) -> None:
    """Raise the API's 401 without a bearer key, and for keys that contain ``invalid``.

    Where a key is required, any other one is refused too.
    """
    scheme, _, key = (authorization or "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise key_missing()
    required = settings.required_key
    if required is not None:
        if not secrets.compare_digest(key.encode(), required.get_secret_value().encode()):
            raise key_rejected()
    elif "invalid" in key.lower():
        raise key_rejected()
