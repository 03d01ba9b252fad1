"""The error bodies that the API answers with, one function per row of the error table.

Wording, types and codes are those seen live or reported for gpt-image-2 in 2026. Where nobody
published the text, the docstring says that it is assumed. Those about images are in
``image_errors``.
"""

from collections.abc import Mapping, Sequence

INVALID_REQUEST = "invalid_request_error"
USER_ERROR = "image_generation_user_error"


class ApiError(Exception):
    """An answer of the form ``{"error": {...}}`` with its HTTP status and extra headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = INVALID_REQUEST,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.details = dict(details or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body, with ``details`` beside the four fixed fields."""
        error = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return {"error": {**error, **self.details}}


def quoted_list(values: Sequence[str]) -> str:
    """Return ``'a', 'b', and 'c'`` as the API writes lists of values."""
    names = [f"'{value}'" for value in values]
    if len(names) < 3:
        return " and ".join(names)
    return ", ".join(names[:-1]) + f", and {names[-1]}"


def missing_parameter(name: str) -> ApiError:
    """Return the refusal of a request without a required parameter."""
    return ApiError(
        400,
        f"Missing required parameter: '{name}'.",
        code="missing_required_parameter",
        param=name,
    )


def unknown_parameter(name: str) -> ApiError:
    """Return the refusal of a top-level key that gpt-image-2 does not have."""
    return ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def wrong_type(name: str, expected: str, got: str) -> ApiError:
    """Return the refusal of a value of another JSON type."""
    message = f"Invalid type for '{name}': expected {expected}, but got {got} instead."
    return ApiError(400, message, code="invalid_type", param=name)


def not_among(name: str, value: str, supported: Sequence[str]) -> ApiError:
    """Return the refusal of a value outside an enumeration."""
    message = f"Invalid value: '{value}'. Supported values are: {quoted_list(supported)}."
    return ApiError(400, message, code="invalid_value", param=name)


def integer_above(name: str, value: int, maximum: int) -> ApiError:
    """Return the refusal of a number that is too large."""
    message = (
        f"Invalid '{name}': integer above maximum value. "
        f"Expected a value <= {maximum}, but got {value} instead."
    )
    return ApiError(400, message, code="integer_above_max_value", param=name)


def integer_below(name: str, value: int, minimum: int) -> ApiError:
    """Return the refusal of a number that is too small."""
    message = (
        f"Invalid '{name}': integer below minimum value. "
        f"Expected a value >= {minimum}, but got {value} instead."
    )
    return ApiError(400, message, code="integer_below_min_value", param=name)


def empty_prompt() -> ApiError:
    """Return the refusal of an empty prompt; the sentence after the colon is assumed."""
    message = (
        "Invalid 'prompt': empty string. "
        "Expected a string with minimum length 1, but got an empty string instead."
    )
    return ApiError(400, message, code="empty_string", param="prompt")


def text_too_long(name: str, length: int, maximum: int) -> ApiError:
    """Return the refusal of a text of ``length`` characters."""
    message = (
        f"Invalid '{name}': string too long. Expected a string with maximum length {maximum}, "
        f"but got a string with length {length} instead."
    )
    return ApiError(400, message, code="string_above_max_length", param=name)


def duplicate_parameter(name: str) -> ApiError:
    """Return the refusal of a form with several parts of one plain name."""
    message = (
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas "
        "only one is allowed. If you are trying to provide a list of values, use the array syntax "
        f"instead e.g. '{name}[]=<value>'."
    )
    return ApiError(400, message, code="duplicate_parameter", param=name)


def quality_unsupported(model: str, quality: str) -> ApiError:
    """Return the refusal of a quality that only other models have.

    The sentence was seen live; type, code and param are assumed, as for other rules of one model.
    """
    message = f"The model '{model}' does not support quality '{quality}'"
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="quality")


def unknown_model(name: str) -> ApiError:
    """Return the refusal of a model that does not exist."""
    message = f"The model '{name}' does not exist."
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="model")


def bad_size(size: str, reason: str) -> ApiError:
    """Return the refusal of a size, with the rule it breaks."""
    message = f"Invalid size '{size}'. {reason}"
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="size")


def transparent_jpeg() -> ApiError:
    """Return the refusal of transparency in a format without alpha."""
    message = "Transparent background is not supported for JPEG output format"
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="background")


def transparent_unsupported() -> ApiError:
    """Return what accounts without the transparency preview get."""
    message = "Transparent background is not supported for this model."
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="background")


def png_compression() -> ApiError:
    """Return the refusal of ``output_compression`` below 100 for PNG."""
    message = "Compression less than 100 is not supported for PNG output format"
    return ApiError(400, message, type=USER_ERROR, code="invalid_png_output_compression")


def only_for_gif(name: str) -> ApiError:
    """Return the refusal of a gif's parameter for another format. The text is assumed."""
    message = f"'{name}' is only supported with output_format 'gif'."
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param=name)


def not_with_format(name: str, output_format: str) -> ApiError:
    """Return the refusal of a parameter that gif or svg does not go with. The text is assumed."""
    message = f"'{name}' is not supported for {output_format.upper()} output format"
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param=name)


def input_fidelity(model: str) -> ApiError:
    """Return the refusal of ``input_fidelity`` on an edit."""
    message = f"The model '{model}' does not support the 'input_fidelity' parameter."
    code = "invalid_input_fidelity_model"
    return ApiError(400, message, type=USER_ERROR, code=code, param="input_fidelity")


def model_not_found(name: str) -> ApiError:
    """Return the answer to a look-up of a model that the catalogue lacks."""
    message = f"The model '{name}' does not exist"
    return ApiError(404, message, code="model_not_found", param="model")


def key_missing() -> ApiError:
    """Return the answer to a request without an ``Authorization`` header."""
    message = (
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
    )
    return ApiError(401, message)


def key_rejected() -> ApiError:
    """Return the answer to a wrong key; the real one repeats the key's ends, this one does not."""
    message = (
        "Incorrect API key provided: ****. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return ApiError(401, message, code="invalid_api_key")


def not_found(method: str, path: str) -> ApiError:
    """Return the answer to a path that the API does not have."""
    return ApiError(404, f"Invalid URL ({method} {path})")


def method_not_allowed(method: str, path: str) -> ApiError:
    """Return the answer to a known path with another method."""
    return ApiError(405, f"Not allowed to {method} on {path}.")
