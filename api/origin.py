"""By which name callers reach the API."""

from fastapi import Request

from api.errors import BadRequest
from api.settings import Settings

_LONGEST = 255  # characters, as many as its column holds


def origin(request: Request, settings: Settings) -> str:
    """Scheme, host and port of the addresses to give to this caller, without a path.

    Raises:
        BadRequest: the request names a host that is none.
    """
    found = settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    if len(found) > _LONGEST:
        raise BadRequest("The Host header is too long.")
    return found
