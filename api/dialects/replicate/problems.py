"""Errors in Replicate's words: `application/problem+json`."""

from dataclasses import asdict
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import UNFORESEEN, ApiError, InvalidInput, Throttled

MEDIA_TYPE = "application/problem+json"
# Stainless' clients would send some of these again, a 429 at once.
_FINAL = {"x-should-retry": "false"}


async def problem(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a refused request."""
    if not isinstance(error, ApiError):
        raise error
    headers = dict(_FINAL)
    body: dict[str, Any] = {"title": error.title} if error.title else {}
    body |= {"detail": error.detail, "status": error.status}
    if isinstance(error, InvalidInput):
        body["invalid_fields"] = [asdict(field) for field in error.fields]
    if isinstance(error, Throttled):
        body["retry_after"] = error.retry_after
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(body, error.status, headers, MEDIA_TYPE)


async def unknown_path(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a path or method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    body = {"detail": str(error.detail), "status": error.status_code}
    headers = _FINAL | dict(error.headers or {})
    return JSONResponse(body, error.status_code, headers, MEDIA_TYPE)


async def hung_up(_request: Request, _error: Exception) -> Response:
    """The answer to a caller who hung up within the body: nobody reads it, nothing was accepted."""
    return Response(status_code=400)


async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    """The answer to what went wrong here, before anything was accepted; the log has the cause."""
    body = {"detail": UNFORESEEN, "status": 500}
    return JSONResponse(body, 500, _FINAL, MEDIA_TYPE)
