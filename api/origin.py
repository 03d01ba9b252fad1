"""By which name callers reach the API."""

from starlette.requests import HTTPConnection

from api.errors import BadRequest
from api.settings import Settings

_LONGEST = 255  # characters, as many as its column holds


def origin(request: HTTPConnection, settings: Settings) -> str:
    """Scheme, host and port of the addresses to give to this caller, without a path.

    Raises:
        BadRequest: the request names a host that is none.
    """
    scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
    found = settings.public_url or f"{scheme}://{request.url.netloc}"
    if len(found) > _LONGEST:
        raise BadRequest("The Host header is too long.")
    return found
