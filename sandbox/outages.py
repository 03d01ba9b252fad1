"""Errors that no request deserves: account, limits, moderation, servers. For faults only.

Wording, types and codes as seen live or reported for gpt-image-2 in 2026.
"""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sandbox.errors import USER_ERROR, ApiError
from sandbox.headers import spent
from sandbox.markers import Marker

_MODEL = "gpt-image-2"
_SUBJECT = f"{_MODEL} (for limit gpt-image) in organization org-sandbox on input-images per min"
_BILLING = "https://platform.openai.com/settings/organization/billing/"
_LIMITS = "https://platform.openai.com/settings/organization/limits"


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


def out_of_credit(marker: Marker) -> ApiError:
    """Return the 429 of an account whose credit is spent, as seen live."""
    message = f"You have no credits remaining. Add credits to continue using the API at {_BILLING}."
    return _spent_account(marker, "credit_balance_exhausted", message)


def organization_spend_limit(marker: Marker) -> ApiError:
    """Return the 429 at an organisation's own spend limit. The text is assumed."""
    message = f"Your organization has reached its spend limit. Raise it at {_LIMITS}."
    return _spent_account(marker, "organization_spend_limit_exceeded", message)


def project_spend_limit(marker: Marker) -> ApiError:
    """Return the 429 at a project's spend limit. The text is assumed."""
    message = f"Your project has reached its spend limit. Raise it at {_LIMITS}."
    return _spent_account(marker, "project_spend_limit_exceeded", message)


def organization_usage_limit(marker: Marker) -> ApiError:
    """Return the 429 at the usage limit that OpenAI sets. The text is assumed."""
    message = f"Your organization has reached its usage limit. Ask for a higher one at {_LIMITS}."
    return _spent_account(marker, "organization_usage_limit_exceeded", message)


def _spent_account(marker: Marker, code: str, message: str) -> ApiError:
    """Return a billing refusal; its type varies, so ``type=T`` asks for another one."""
    return ApiError(429, message, type=marker.text("type", "insufficient_quota"), code=code)


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
    return _rate_limited(seconds, _try_again(seconds), headers)


def rate_limit_date(marker: Marker) -> ApiError:
    """Return a 429 with ``Retry-After`` as an HTTP date."""
    seconds = marker.number("retry-after", 1)
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return _rate_limited(seconds, "", {"retry-after": format_datetime(moment, usegmt=True)})


def rate_limit_message(marker: Marker) -> ApiError:
    """Return a 429 that says when only in its message."""
    seconds = marker.number("retry-after", 1)
    return _rate_limited(seconds, _try_again(seconds), {})


def rate_limit_bare(_: Marker) -> ApiError:
    """Return a 429 that does not say when, but for the header that tells when a limit ends."""
    return _rate_limited(12, "", {})


def _try_again(seconds: float) -> str:
    return f" Please try again in {_short(seconds)}."


def _short(seconds: float) -> str:
    """Return a time as the API writes it, ``467ms`` or ``12s``."""
    return f"{seconds * 1000:.0f}ms" if 0 < seconds < 1 else f"{seconds:g}s"


def used_up(limit: int, used: int, requested: int, seconds: float) -> ApiError:
    """Return the 429 of an account that has made as many images as it may for now."""
    headers = {"retry-after": f"{math.ceil(seconds)}", "retry-after-ms": f"{seconds * 1000:.0f}"}
    when = _try_again(round(seconds, 3))
    return _rate_limited(seconds, when, headers, limit=limit, used=used, requested=requested)


def _rate_limited(
    seconds: float,
    when: str,
    headers: dict[str, str],
    *,
    limit: int = 5,
    used: int = 5,
    requested: int = 1,
) -> ApiError:
    return ApiError(
        429,
        f"Rate limit reached for {_SUBJECT}: Limit {limit}, Used {used}, Requested {requested}."
        f"{when}",
        type="input-images",
        code="rate_limit_exceeded",
        headers={**spent("input-images", limit, _short(seconds)), **headers},
    )


def request_too_large(marker: Marker) -> ApiError:
    """Return the 429 that no waiting mends, with ``limit=L`` (5) and ``requested=R`` (10)."""
    return too_many_for_a_minute(
        round(marker.number("limit", 5)), round(marker.number("requested", 10))
    )


def too_many_for_a_minute(limit: int, requested: int) -> ApiError:
    """Return the refusal of more images than a minute's limit. The type is assumed."""
    return ApiError(
        429,
        f"Request too large for {_SUBJECT}: Limit {limit}, Requested {requested}. You can "
        "increase your rate limit by adding a payment method to your account at "
        f"{_BILLING}.",
        type="input-images",
        code="rate_limit_exceeded",
    )


def slow_down(marker: Marker) -> ApiError:
    """Return the 429 to traffic that rises too fast. The text is assumed."""
    seconds = marker.number("retry-after", 1)
    message = "Your traffic rises too fast. Please reduce your request rate."
    headers = {"retry-after": f"{seconds:g}"}
    return ApiError(429, message, type="rate_limit_error", code="slow_down", headers=headers)


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


def overloaded(_: Marker) -> ApiError:
    """Return the 503 of servers with too much to do."""
    return ApiError(
        503,
        "Our servers are currently overloaded. Please try again later.",
        type="service_unavailable_error",
        code="server_is_overloaded",
    )


def generation_failed(_: Marker) -> ApiError:
    """Return a 500 of the image model itself."""
    return ApiError(
        500,
        "Image generation failed",
        type="image_generation_server_error",
        code="image_generation_failed",
    )
