"""Errors in Runware's words.

The clients sort errors by their codes: `invalid...` and `missing...` are the caller's to mend,
`provider...` the upstream's, and so on. The codes' names are ours where Runware documents none.
"""

import logging
from collections.abc import Mapping
from typing import Any

from api.errors import (
    UNFORESEEN,
    ApiError,
    InvalidInput,
    NotReady,
    Throttled,
    TooLarge,
    Unauthenticated,
)

log = logging.getLogger(__name__)

Item = dict[str, Any]

_CODES: Mapping[type[ApiError], str] = {
    Unauthenticated: "invalidApiKey",
    Throttled: "rateLimitExceeded",
    NotReady: "serviceUnavailable",
    TooLarge: "maxSizeExceeded",
}
_LONGEST_ECHO = 100  # characters; a task's own words are repeated to it only where they are short


class TaskError(Exception):
    """A task that is refused, or that has failed.

    Args:
        message: one sentence for the caller, free of keys, prompts and addresses.
        parameter: what to change, as in `inputs.referenceImages`.
        status: of an HTTP answer that holds nothing else.
    """

    def __init__(
        self,
        code: str,
        message: str,
        parameter: str | None = None,
        *,
        status: int = 400,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.parameter = parameter
        self.status = status
        self.retry_after = retry_after


def task_error(error: Exception) -> TaskError:
    """What went wrong before anything was accepted, as a TaskError."""
    if isinstance(error, TaskError):
        return error
    if isinstance(error, InvalidInput):
        field = error.fields[0]
        parameter = _parameter(field.field)
        return TaskError("invalidInput", f"{parameter}: {field.description}.", parameter)
    if isinstance(error, Unauthenticated):
        return invalid_key()
    if isinstance(error, ApiError):
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "invalid")
        retry_after = error.retry_after if isinstance(error, Throttled) else None
        return TaskError(code, error.detail, status=error.status, retry_after=retry_after)
    log.error("A task failed before it was accepted.", exc_info=error)
    return TaskError(
        "internalServerError",
        UNFORESEEN,
        status=500,
    )


def invalid_key() -> TaskError:
    """No token came, or one that is not known."""
    return TaskError("invalidApiKey", "Invalid API key.", "apiKey", status=401)


def error_item(error: TaskError, task: object = None) -> Item:
    """The error as clients read it: with the task's type and UUID, or they wait for ever."""
    item: Item = {"code": error.code, "message": error.message}
    if error.parameter:
        item["parameter"] = error.parameter
    if isinstance(task, Mapping):
        for name in ("taskType", "taskUUID"):
            if isinstance(value := task.get(name), str) and len(value) <= _LONGEST_ECHO:
                item[name] = value
    return item


def _parameter(place: str) -> str:
    _, _, rest = place.partition("input.")
    name, _, number = rest.partition(".")
    if name == "input_images":
        return f"inputs.referenceImages[{number}]" if number else "inputs.referenceImages"
    return {"prompt": "positivePrompt", "number_of_images": "numberResults"}.get(name, name)
