"""Errors in Replicate's words: `application/problem+json`."""

from dataclasses import asdict
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from api.errors import ApiError, InvalidInput, Throttled

MEDIA_TYPE = "application/problem+json"


async def problem(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a refused request."""
    if not isinstance(error, ApiError):
        raise error
    # Stainless' clients would send some of these again, a 429 at once.
    headers = {"x-should-retry": "false"}
    body: dict[str, Any] = {"title": error.title} if error.title else {}
    body |= {"detail": error.detail, "status": error.status}
    if isinstance(error, InvalidInput):
        body["invalid_fields"] = [asdict(field) for field in error.fields]
    if isinstance(error, Throttled):
        body["retry_after"] = error.retry_after
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(body, error.status, headers, MEDIA_TYPE)
