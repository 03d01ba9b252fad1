"""Errors: core.today's page shows none, so their shape is ours."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import UNFORESEEN, ApiError, Throttled


async def problem(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a refused request."""
    if not isinstance(error, ApiError):
        raise error
    headers = {}
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.retry_after)
    return _answer(error.status, error.detail.strip(), headers)


async def unknown_path(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a path or method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    return _answer(error.status_code, str(error.detail), dict(error.headers or {}))


async def hung_up(_request: Request, _error: Exception) -> Response:
    """The answer to a caller who hung up within the body: nobody reads it, nothing was accepted."""
    return Response(status_code=400)


async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    """The answer to what went wrong here, before anything was accepted; the log has the cause."""
    return _answer(500, UNFORESEEN, {})


def _answer(status: int, sentence: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({"detail": sentence, "error": sentence}, status, headers)
