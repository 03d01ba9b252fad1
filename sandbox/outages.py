"""Errors that no request deserves: account, limits, moderation, servers. For faults only.

Wording, types and codes as seen live or reported for gpt-image-2 in 2026.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sandbox.errors import USER_ERROR, ApiError
from sandbox.markers import Marker

_MODEL = "gpt-image-2"


def organization_not_verified(_: Marker) -> ApiError:
    """Return the wall in front of unverified organisations."""
    return ApiError(
        403,
        f"Your organization must be verified to use the model `{_MODEL}`. Please go to: "
        "https://platform.openai.com/settings/organization/general and click on Verify "
        "Organization. If you just verified, it can take up to 15 minutes for access to "
        "propagate.",
    )


def model_not_allowed(_: Marker) -> ApiError:
    """Return the refusal of a project that lacks the model."""
    message = f"Project `proj_sandbox` does not have access to model `{_MODEL}`"
    return ApiError(403, message, code="model_not_found")


def quota(_: Marker) -> ApiError:
    """Return the 429 that waiting does not mend."""
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors."
    )
    return ApiError(429, message, type="insufficient_quota", code="insufficient_quota")


def hard_limit(_: Marker) -> ApiError:
    """Return the refusal at the billing limit; reports differ about its type."""
    return ApiError(
        400,
        "Billing hard limit has been reached.",
        type="billing_limit_user_error",
        code="billing_hard_limit_reached",
    )


def rate_limit(marker: Marker) -> ApiError:
    """Return a 429 with ``Retry-After`` in seconds, and milliseconds beside it."""
    seconds = marker.number("retry-after", 1)
    headers = {"retry-after": f"{seconds:g}", "retry-after-ms": f"{seconds * 1000:.0f}"}
    return _rate_limited(f" Please try again in {seconds:g}s.", headers)


def rate_limit_date(marker: Marker) -> ApiError:
    """Return a 429 with ``Retry-After`` as an HTTP date."""
    moment = datetime.now(UTC) + timedelta(seconds=marker.number("retry-after", 1))
    return _rate_limited("", {"retry-after": format_datetime(moment, usegmt=True)})


def rate_limit_message(marker: Marker) -> ApiError:
    """Return a 429 that says when only in its message."""
    return _rate_limited(f" Please try again in {marker.number('retry-after', 1):g}s.", {})


def rate_limit_bare(_: Marker) -> ApiError:
    """Return a 429 that does not say when."""
    return _rate_limited("", {})


def _rate_limited(when: str, headers: dict[str, str]) -> ApiError:
    return ApiError(
        429,
        f"Rate limit reached for {_MODEL} (for limit gpt-image) in organization org-sandbox on "
        f"input-images per min: Limit 5, Used 5, Requested 1.{when}",
        type="input-images",
        code="rate_limit_exceeded",
        headers=headers,
    )


def moderation(_: Marker) -> ApiError:
    """Return the safety system's refusal of a prompt; the service adds the request id."""
    return _moderated("input")


def moderation_output(_: Marker) -> ApiError:
    """Return the safety system's refusal of a finished image."""
    return _moderated("output")


def _moderated(stage: str) -> ApiError:
    return ApiError(
        400,
        "Your request was rejected by the safety system. If you believe this is an error, contact "
        "us at help.openai.com and include the request ID {request_id}. "
        "safety_violations=[violence].",
        type=USER_ERROR,
        code="moderation_blocked",
        details={"moderation_details": {"moderation_stage": stage, "categories": ["violence"]}},
    )


def server_error(status: int) -> ApiError:
    """Return OpenAI's own error body with a 5xx."""
    message = "The server had an error while processing your request. Sorry about that!"
    return ApiError(status, message, type="server_error")


def generation_failed(_: Marker) -> ApiError:
    """Return a 500 of the image model itself."""
    return ApiError(
        500,
        "Image generation failed",
        type="image_generation_server_error",
        code="image_generation_failed",
    )
