"""The error bodies about images: uploads, references in JSON, masks.

Wording, types and codes are those seen live or reported for gpt-image-2 in 2026. Where nobody
published the text, the docstring says that it is assumed.
"""

from typing import Final

from sandbox.errors import USER_ERROR, ApiError

MAX_IMAGES: Final = 16
MAX_BYTES: Final = 50 * 1024 * 1024
_MASK_CODE = "invalid_mask_image_format"


def images_part_name() -> ApiError:
    """Return the refusal of a form part called ``images``."""
    message = "Unknown parameter: 'images'. For multipart/form-data use 'image' or 'image[]'."
    return ApiError(400, message, code="invalid_value", param="images")


def unsupported_mimetype(name: str, mimetype: str) -> ApiError:
    """Return the refusal of an upload by its declared content type."""
    message = (
        f"Invalid file '{name}': unsupported mimetype ('{mimetype}'). "
        "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'."
    )
    return ApiError(400, message, code="unsupported_file_mimetype", param=name.partition("[")[0])


def invalid_image(position: int) -> ApiError:
    """Return the refusal of an upload that does not decode; ``position`` counts from 1."""
    message = f"Invalid image file or mode for image {position}, please check your image file."
    return ApiError(400, message, code="invalid_image_file", param="image")


def image_too_large(name: str) -> ApiError:
    """Return the refusal of ``MAX_BYTES`` or more. Status, code and text are assumed."""
    message = f"Invalid file '{name}': file too large. Each image must be less than 50MB."
    return ApiError(400, message, code="invalid_value", param=name.partition("[")[0])


def too_many_images(name: str, count: int) -> ApiError:
    """Return the refusal of more images than allowed; the text follows the generic pattern."""
    message = (
        f"Invalid '{name}': array too long. Expected an array with maximum length {MAX_IMAGES}, "
        f"but got an array with length {count} instead."
    )
    return ApiError(400, message, code="array_above_max_length", param=name)


def mask_size() -> ApiError:
    """Return the refusal of a mask that is not as large as the first image."""
    message = "Invalid mask image format - mask size does not match image size"
    return ApiError(400, message, type=USER_ERROR, code=_MASK_CODE, param="mask")


def mask_without_alpha() -> ApiError:
    """Return the refusal of a mask without transparency."""
    message = "Invalid mask image format - mask image missing alpha channel"
    return ApiError(400, message, type=USER_ERROR, code=_MASK_CODE, param="mask")


def mask_unreadable() -> ApiError:
    """Return the refusal of a mask that does not decode. The end of the text is assumed."""
    message = "Invalid mask image format - mask image could not be read"
    return ApiError(400, message, type=USER_ERROR, code=_MASK_CODE, param="mask")


def markup_with_mask() -> ApiError:
    """Return the refusal of both at once. The text is assumed."""
    message = "'markup' cannot be combined with 'mask'."
    return ApiError(400, message, type=USER_ERROR, code="invalid_value", param="markup")


def bad_markup(reason: str) -> ApiError:
    """Return the refusal of a markup that does not fit. The text is assumed."""
    message = f"Invalid markup image - {reason}"
    return ApiError(400, message, type=USER_ERROR, code="invalid_markup_image", param="markup")


def no_references() -> ApiError:
    """Return the refusal of ``"images": []``; the text follows the generic pattern."""
    message = (
        "Invalid 'images': empty array. "
        "Expected an array with minimum length 1, but got an empty array instead."
    )
    return ApiError(400, message, code="empty_array", param="images")


def not_exactly_one(name: str) -> ApiError:
    """Return the refusal of a reference with both ways to name an image. The text is assumed."""
    message = f"Invalid '{name}': provide exactly one of 'image_url' or 'file_id'."
    return ApiError(400, message, code="invalid_value", param=name)


def unknown_file(name: str, file_id: str) -> ApiError:
    """Return the refusal of a file that was never uploaded; the sandbox keeps no files.

    The sentence is that of the Files API; status and param for an edit are assumed.
    """
    return ApiError(400, f"No such File object: {file_id}", param=f"{name}.file_id")


def bad_image_url(name: str) -> ApiError:
    """Return the refusal of an address that is neither https, http nor a base64 data URL.

    The text is assumed.
    """
    message = f"Invalid '{name}.image_url': expected a fully qualified URL or a base64 data URL."
    return ApiError(400, message, code="invalid_value", param=f"{name}.image_url")


def download_failed(url: str) -> ApiError:
    """Return the refusal of an address that gives no image, as other endpoints word it."""
    return ApiError(400, f"Error while downloading {url}.", code="invalid_image_url")
