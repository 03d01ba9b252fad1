"""Everything that can go wrong on demand; ``fault_plan`` says when it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox import errors, image_errors, outages, spoil
from sandbox.answer import Draft
from sandbox.errors import ApiError
from sandbox.markers import Marker

BEFORE_READ: Final = "reset-before-read"


@dataclass(frozen=True)
class Fault:
    """One way to fail. At most one of ``error``, ``page`` and ``spoil`` is set.

    Without any of them the fault is in how bytes cross the wire, see ``delivery``. ``billed``
    tells whether the images are paid for all the same: a gateway's error page says nothing about
    the work behind it, so those count as billed. ``options`` says which a marker may have besides
    ``times``, for the documents.
    """

    name: str
    does: str
    billed: bool = False
    options: str = ""
    error: Callable[[Marker], ApiError] | None = None
    page: int | None = None
    spoil: Callable[[Draft, Marker], None] | None = None

    @property
    def refuses(self) -> bool:
        """Whether an error takes the place of the answer."""
        return self.error is not None or self.page is not None


def _refused(name: str, does: str, error: Callable[[Marker], ApiError], options: str = "") -> Fault:
    return Fault(name, does, error=error, options=options)


def _server(status: int, billed: bool) -> Fault:
    does = f"{status} with OpenAI's error body"
    return Fault(f"{status}-json", does, billed, error=lambda _: outages.server_error(status))


def _page(status: int) -> Fault:
    return Fault(
        f"{status}-html", f"{status} with a proxy's HTML page", billed=status != 413, page=status
    )


def _spoiled(
    name: str, does: str, how: Callable[[Draft, Marker], None], options: str = ""
) -> Fault:
    return Fault(name, does, billed=True, spoil=how, options=options)


_WAIT: Final = "retry-after=SECONDS (1)"
_TYPE: Final = "type=TYPE (insufficient_quota)"
_IMAGE: Final = "image=K, counted from 1 (the last)"


_ALL: Final = (
    _refused("key-rejected", "401 invalid_api_key", lambda _: errors.key_rejected()),
    _refused(
        "organization-not-verified",
        "403, the organisation must be verified",
        outages.organization_not_verified,
    ),
    _refused("model-not-allowed", "403, the project lacks the model", outages.model_not_allowed),
    _refused("unknown-model", "400, no such model", lambda _: errors.unknown_model("gpt-image-2")),
    _refused("quota", "429 insufficient_quota", outages.quota),
    _refused("credit-exhausted", "429 credit_balance_exhausted", outages.out_of_credit, _TYPE),
    _refused(
        "organization-spend-limit",
        "429 organization_spend_limit_exceeded",
        outages.organization_spend_limit,
        _TYPE,
    ),
    _refused(
        "project-spend-limit",
        "429 project_spend_limit_exceeded",
        outages.project_spend_limit,
        _TYPE,
    ),
    _refused(
        "organization-usage-limit",
        "429 organization_usage_limit_exceeded",
        outages.organization_usage_limit,
        _TYPE,
    ),
    _refused("hard-limit", "400 billing_hard_limit_reached", outages.hard_limit),
    _refused("rate-limit", "429 with Retry-After in seconds", outages.rate_limit, _WAIT),
    _refused("rate-limit-date", "429 with Retry-After as a date", outages.rate_limit_date, _WAIT),
    _refused(
        "rate-limit-message",
        "429 that says when in its message only",
        outages.rate_limit_message,
        _WAIT,
    ),
    _refused(
        "rate-limit-bare",
        "429 with neither Retry-After nor a time in its message",
        outages.rate_limit_bare,
    ),
    _refused(
        "request-too-large",
        "429 for more images than the limit of a minute, which no waiting mends",
        outages.request_too_large,
        "limit=L (5), requested=R (10)",
    ),
    _refused("slow-down", "429 slow_down", outages.slow_down, _WAIT),
    _refused(
        "moderation",
        "400 moderation_blocked, of the prompt or the input images",
        outages.moderation,
    ),
    _refused(
        "moderation-output",
        "400 moderation_blocked, of a finished picture",
        outages.moderation_output,
    ),
    _refused(
        "transparent-unsupported",
        "400, no transparency for this account",
        lambda _: errors.transparent_unsupported(),
    ),
    _refused(
        "unknown-parameter",
        "400, a parameter is unknown",
        lambda _: errors.unknown_parameter("quality"),
    ),
    _refused("invalid-image", "400 invalid_image_file", lambda _: image_errors.invalid_image(1)),
    _refused(
        "image-too-large",
        "400, an image is too large",
        lambda _: image_errors.image_too_large("image[0]"),
    ),
    _refused("generation-failed", "500 image_generation_failed", outages.generation_failed),
    _refused("overloaded", "503 server_is_overloaded", outages.overloaded),
    _server(500, billed=False),
    _server(503, billed=False),
    _server(502, billed=True),
    _server(504, billed=True),
    _page(413),
    _page(500),
    _page(502),
    _page(503),
    _page(504),
    _page(520),
    _page(524),
    Fault(BEFORE_READ, "TCP reset while the request is being sent"),
    Fault("reset-after-read", "TCP reset once the request was read", billed=True),
    Fault("reset-in-body", "TCP reset halfway through the answer", billed=True),
    Fault("stall", "never answers", billed=True),
    Fault("slow-drip", "the answer arrives in small pieces", billed=True, options="seconds=S (2)"),
    Fault("truncated-body", "the connection ends halfway through the answer", billed=True),
    _spoiled("truncated-json", "a complete answer whose JSON breaks off", spoil.cut_json),
    _spoiled("corrupt-base64", "one image is no base64", spoil.corrupt_one, _IMAGE),
    _spoiled("corrupt-base64-all", "no image is base64", spoil.corrupt_all),
    _spoiled("truncated-image", "one image's file breaks off", spoil.cut_image, _IMAGE),
    _spoiled("html", "200 with an HTML page", spoil.html_page),
    _spoiled("error-200", "200 with an error body", spoil.error_body),
    _spoiled(
        "event-error",
        "in a stream, an error event instead of images",
        spoil.event_error,
        "code=C (image_generation_failed)",
    ),
    _spoiled("data-null", '200 with "data": null', spoil.no_data),
    _spoiled("data-empty", '200 with "data": []', spoil.empty_data),
    _spoiled("fewer-images", "200 with one image less", spoil.one_less),
    _spoiled("b64-null", 'one "b64_json": null', spoil.null_image, _IMAGE),
    _spoiled("url", "URLs instead of base64", spoil.urls),
    _spoiled("url-404-once", "URLs; the first fetch gets 404", spoil.urls_404_once),
    _spoiled("url-500-once", "URLs; the first fetch gets 500", spoil.urls_500_once),
    _spoiled("url-404", "URLs that always get 404", spoil.urls_404),
    _spoiled("url-redirect", "URLs that redirect to the image", spoil.urls_redirect),
    _spoiled(
        "other-format",
        "another format than asked",
        spoil.other_format,
        "format=F, png, webp or jpeg",
    ),
)
FAULTS: Final = {fault.name: fault for fault in _ALL}
