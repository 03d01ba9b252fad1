"""Errors in OpenAI's shape and in AI/ML API's, both in one object."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.dialects.openai.refusals import BadParameter, UnknownModel, in_openais_words
from api.errors import UNFORESEEN, ApiError, InvalidInput, Throttled
from api.ids import new_id
from api.predictions.prediction import Prediction, State

# To OpenAI's clients: other statuses than 400 are sent again, some at once.
FINAL = {"x-should-retry": "false"}
_WORTH_WAITING = 60  # seconds; what asks for more is for people, and clients would not wait so long
_UNPROCESSABLE = 422
_KINDS = {429: "rate_limit_error", 500: "server_error", 503: "server_error"}
_CODES = {
    401: "invalid_api_key",
    404: "not_found",
    429: "rate_limit_exceeded",
    503: "server_is_overloaded",
}


async def problem(request: Request, error: Exception) -> JSONResponse:
    """The answer to what was refused before anything was accepted."""
    if not isinstance(error, ApiError):
        raise error
    headers = FINAL
    if isinstance(error, InvalidInput):
        error = in_openais_words(error.fields)
    if isinstance(error, Throttled):
        headers = {"Retry-After": str(error.retry_after)}
        headers |= FINAL if error.retry_after > _WORTH_WAITING else {}
    status = 400 if error.status == _UNPROCESSABLE else error.status
    param, code = None, _CODES.get(status)
    if isinstance(error, BadParameter | UnknownModel):
        param, code = error.param, error.code
    return _answer(request, status, error.detail, headers, param=param, code=code)


async def unknown_path(request: Request, error: Exception) -> JSONResponse:
    """The answer to a path or method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    headers = FINAL | dict(error.headers or {})
    detail = f"Invalid URL ({request.method} {request.url.path})"
    return _answer(request, error.status_code, detail, headers)


async def hung_up(_request: Request, _error: Exception) -> Response:
    """The answer to a caller who hung up within the body: nobody reads it, nothing was accepted."""
    return Response(status_code=400)


async def unforeseen(request: Request, _error: Exception) -> JSONResponse:
    """The answer to what went wrong here, before anything was accepted; the log has the cause."""
    return _answer(request, 500, UNFORESEEN, FINAL)


def failed(request: Request, prediction: Prediction) -> JSONResponse:
    """The answer where a prediction was accepted and drew nothing: 400, since some clients ignore
    `x-should-retry`, and send again what got a 5xx.
    """
    error = _of_end(prediction)
    body = _body(request, 400, error, prediction.id)
    return JSONResponse(body, 400, FINAL | {"x-request-id": prediction.id})


def failure_event(prediction: Prediction) -> dict[str, Any]:
    """The same within a stream."""
    return {"type": "error", "error": _of_end(prediction)}


def _of_end(prediction: Prediction) -> dict[str, Any]:
    metrics = prediction.metrics or {}
    is_theirs = metrics.get("error_status") == 400 or metrics.get("error_class") == "InvalidInput"
    look = f"GET /v1/predictions/{prediction.id} shows what has become of it."
    if prediction.state is State.CANCELED:
        message = prediction.error or "The prediction was canceled."
    elif prediction.state is State.SUCCEEDED:
        message = f"The pictures were drawn, but they have been removed since. {look}"
    else:
        message = prediction.error or f"The API itself failed after it had accepted this. {look}"
    return {
        "message": message,
        "type": "image_generation_user_error" if is_theirs else "image_generation_server_error",
        "param": metrics.get("error_param"),
        "code": metrics.get("error_code"),
    }


def _answer(
    request: Request,
    status: int,
    message: str,
    headers: dict[str, str],
    *,
    param: str | None = None,
    code: str | None = None,
) -> JSONResponse:
    kind = _KINDS.get(status, "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": code}
    request_id = new_id()
    body = _body(request, status, error, request_id)
    return JSONResponse(body, status, headers | {"x-request-id": request_id})


def _body(request: Request, status: int, error: dict[str, Any], request_id: str) -> dict[str, Any]:
    return {
        "error": error,
        "message": error["message"],
        "path": request.url.path,
        "requestId": request_id,
        "statusCode": status,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
