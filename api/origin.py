"""By which name callers reach the API."""

from fastapi import Request

from api.settings import Settings


def origin(request: Request, settings: Settings) -> str:
    """Scheme, host and port of the addresses to give to this caller, without a path."""
    return settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
