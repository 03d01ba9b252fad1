"""Everything that can go wrong on demand, and when it does.

A prompt asks for a fault with ``[sandbox:NAME]``; ``times=N`` lets it happen only to the first N
requests with that prompt, so that a retry can succeed. ``SANDBOX_FAULT_RATE`` spreads faults over
requests from ``SANDBOX_SEED``, by the order in which they arrive.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox import errors, image_errors, outages, spoil
from sandbox.answer import Draft
from sandbox.errors import ApiError
from sandbox.gateway import QUIRKS
from sandbox.markers import MODIFIERS, Marker, markers, prompt_number
from sandbox.settings import Settings

BEFORE_READ: Final = "reset-before-read"


@dataclass(frozen=True)
class Fault:
    """One way to fail. At most one of ``error``, ``page`` and ``spoil`` is set.

    Without any of them the fault is in how bytes cross the wire, see ``delivery``. ``billed``
    tells whether the images are paid for all the same: a gateway's error page says nothing about
    the work behind it, so those count as billed.
    """

    name: str
    does: str
    billed: bool = False
    error: Callable[[Marker], ApiError] | None = None
    page: int | None = None
    spoil: Callable[[Draft, Marker], None] | None = None

    @property
    def refuses(self) -> bool:
        """Whether an error takes the place of the answer."""
        return self.error is not None or self.page is not None


def _refused(name: str, does: str, error: Callable[[Marker], ApiError]) -> Fault:
    return Fault(name, does, error=error)


def _server(status: int, billed: bool) -> Fault:
    does = f"{status} with OpenAI's error body"
    return Fault(f"{status}-json", does, billed, error=lambda _: outages.server_error(status))


def _page(status: int) -> Fault:
    return Fault(
        f"{status}-html", f"{status} with a proxy's HTML page", billed=status != 413, page=status
    )


def _spoiled(name: str, does: str, how: Callable[[Draft, Marker], None]) -> Fault:
    return Fault(name, does, billed=True, spoil=how)


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
    _refused("credit-exhausted", "429 credit_balance_exhausted (type=T)", outages.out_of_credit),
    _refused(
        "organization-spend-limit",
        "429 organization_spend_limit_exceeded (type=T)",
        outages.organization_spend_limit,
    ),
    _refused(
        "project-spend-limit",
        "429 project_spend_limit_exceeded (type=T)",
        outages.project_spend_limit,
    ),
    _refused(
        "organization-usage-limit",
        "429 organization_usage_limit_exceeded (type=T)",
        outages.organization_usage_limit,
    ),
    _refused("hard-limit", "400 billing_hard_limit_reached", outages.hard_limit),
    _refused("rate-limit", "429, Retry-After in seconds (retry-after=S)", outages.rate_limit),
    _refused(
        "rate-limit-date", "429, Retry-After as a date (retry-after=S)", outages.rate_limit_date
    ),
    _refused(
        "rate-limit-message",
        "429, the time only in its message (retry-after=S)",
        outages.rate_limit_message,
    ),
    _refused(
        "rate-limit-bare",
        "429 with neither Retry-After nor a time in its message",
        outages.rate_limit_bare,
    ),
    _refused(
        "request-too-large",
        "429 that no waiting mends (limit=L, requested=R)",
        outages.request_too_large,
    ),
    _refused("slow-down", "429 slow_down (retry-after=S)", outages.slow_down),
    _refused("moderation", "400 moderation_blocked at the input", outages.moderation),
    _refused("moderation-output", "400 moderation_blocked, output", outages.moderation_output),
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
    Fault("slow-drip", "the answer takes seconds=S (2) to arrive", billed=True),
    Fault("truncated-body", "the connection ends halfway through the answer", billed=True),
    _spoiled("truncated-json", "a complete answer whose JSON breaks off", spoil.cut_json),
    _spoiled("corrupt-base64", "one image is no base64 (image=K, the last)", spoil.corrupt_one),
    _spoiled("corrupt-base64-all", "no image is base64", spoil.corrupt_all),
    _spoiled("truncated-image", "one image's file breaks off (image=K)", spoil.cut_image),
    _spoiled("html", "200 with an HTML page", spoil.html_page),
    _spoiled("error-200", "200 with an error body", spoil.error_body),
    _spoiled("data-null", '200 with "data": null', spoil.no_data),
    _spoiled("data-empty", '200 with "data": []', spoil.empty_data),
    _spoiled("fewer-images", "200 with one image less", spoil.one_less),
    _spoiled("b64-null", 'one "b64_json": null (image=K)', spoil.null_image),
    _spoiled("url", "URLs instead of base64", spoil.urls),
    _spoiled("url-404-once", "URLs; the first fetch gets 404", spoil.urls_404_once),
    _spoiled("url-500-once", "URLs; the first fetch gets 500", spoil.urls_500_once),
    _spoiled("url-404", "URLs that always get 404", spoil.urls_404),
    _spoiled("url-redirect", "URLs that redirect to the image", spoil.urls_redirect),
    _spoiled("other-format", "another format than asked (format=F)", spoil.other_format),
)
FAULTS: Final = {fault.name: fault for fault in _ALL}


def refuse_unknown_markers(prompt: str) -> None:
    """Raise ``ApiError`` for a marker that means nothing, which a test would take for a fault."""
    for marker in markers(prompt):
        if not any(marker.name in names for names in (FAULTS, QUIRKS, MODIFIERS)):
            message = f"The sandbox knows no fault, quirk or modifier '{marker.name}'."
            raise ApiError(400, message, code="sandbox_marker")


@dataclass(frozen=True)
class Chosen:
    """A fault, and the marker that asked for it."""

    fault: Fault
    marker: Marker


class FaultPlan:
    """Decides which request gets which fault."""

    def __init__(self, settings: Settings) -> None:
        self._rate = settings.fault_rate
        self._seed = settings.seed
        self._names = settings.faults or tuple(FAULTS)
        unknown = [name for name in self._names if name not in FAULTS]
        if unknown:
            raise ValueError(f"SANDBOX_FAULTS names no such fault: {', '.join(unknown)}")
        self._arrived = 0
        self._seen: Counter[tuple[str, str]] = Counter()

    def by_rate(self) -> Chosen | None:
        """Return the fault for the request that arrives now, known before it is read."""
        self._arrived += 1
        if not self._rate:
            return None
        dice = random.Random(f"{self._seed}/{self._arrived}")
        if dice.random() >= self._rate:
            return None
        name = dice.choice(self._names)
        return Chosen(FAULTS[name], Marker(name))

    def before_read(self, beginning: str) -> Chosen | None:
        """Return the reset that a body asks for in its first bytes, before the rest is read.

        The prompt is not known yet, so ``times`` is counted by the marker and the prompt's number.
        """
        for marker in markers(beginning):
            key = f"{prompt_number(beginning)} {marker}"
            if marker.name == BEFORE_READ and self._still_due(key, marker):
                return Chosen(FAULTS[BEFORE_READ], marker)
        return None

    def by_marker(self, prompt: str) -> Chosen | None:
        """Return the first fault that the prompt asks for and that is not used up."""
        for marker in markers(prompt):
            fault = FAULTS.get(marker.name)
            if fault is None or fault.name == BEFORE_READ:
                continue
            if self._still_due(prompt, marker):
                return Chosen(fault, marker)
        return None

    def _still_due(self, prompt: str, marker: Marker) -> bool:
        seen = (prompt, marker.name)
        self._seen[seen] += 1
        return self._seen[seen] <= marker.number("times", float("inf"))
