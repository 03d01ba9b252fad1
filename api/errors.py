"""Every way a request can be refused before anything is accepted; dialects give each its shape.

ApiError
├── BadRequest          400  no JSON, or nested too deep
├── Unauthenticated     401
├── Forbidden           403  the token is good, but this is for operators
├── NotFound            404  also what belongs to another tenant
├── TooLarge            413
├── WrongMediaType      415
├── Unprocessable       422
│   └── InvalidInput         the input against the model's schema, field by field
├── Throttled           429  a limit of the tenant; says when to come again
└── NotReady            503  the model's server has not answered since the start
"""

from collections.abc import Sequence
from dataclasses import dataclass

UNFORESEEN = (
    "The API itself failed; nothing was started. Tell its operator, whose log has the cause."
)
"""For what nobody refused on purpose, before anything was accepted."""


class ApiError(Exception):
    """`detail` is one sentence for the caller, free of keys, prompts and addresses."""

    status = 500
    title: str | None = None

    def __init__(self, detail: str, title: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.title = title or self.title


class BadRequest(ApiError):
    status = 400


class Unauthenticated(ApiError):
    status = 401
    title = "Unauthenticated"

    def __init__(self, detail: str = "You did not pass a valid authentication token") -> None:
        super().__init__(detail)


class Forbidden(ApiError):
    status = 403


class NotFound(ApiError):
    status = 404


class TooLarge(ApiError):
    status = 413


class WrongMediaType(ApiError):
    status = 415


class Unprocessable(ApiError):
    status = 422


@dataclass(frozen=True)
class InvalidField:
    """One thing that is wrong with an input, in the words of Replicate's validator."""

    type: str
    field: str
    description: str


class InvalidInput(Unprocessable):
    title = "Input validation failed"

    def __init__(self, fields: Sequence[InvalidField]) -> None:
        super().__init__("".join(f"- {field.field}: {field.description}\n" for field in fields))
        self.fields = fields


class Throttled(ApiError):
    status = 429

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Whole seconds, at least 1."""


class NotReady(ApiError):
    status = 503
