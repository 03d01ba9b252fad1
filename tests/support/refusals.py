"""What OpenAI refuses with and the sandbox does not say, as a stand-in upstream.

Wording, types and codes as in OpenAI's error-codes guide and help.openai.com articles 5955604 and
6614457, or as seen by others (2026-11).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.loopback import Answer, Received, StandIn, stand_in


@dataclass(frozen=True)
class Refusal:
    """One answer, and the class that a caller sees."""

    what: str
    error_class: str
    status: int
    message: str = ""
    type: str = "invalid_request_error"
    code: str | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    """What the request has to ask for."""

    @property
    def prompt(self) -> str:
        return f"A lighthouse <{REFUSALS.index(self)}>"

    @property
    def answer(self) -> Answer:
        if not self.message:
            return Answer(b"<html>Blocked by the firewall.</html>", self.status)
        error = {"message": self.message, "type": self.type, "code": self.code, "param": None}
        return Answer(
            json.dumps({"error": error}).encode(), self.status, {"x-request-id": "req_0123456789"}
        )


def _spent(code: str, message: str) -> Refusal:
    return Refusal(f"429, {code}", "QuotaExceeded", 429, message, "insufficient_quota", code)


def _too_large(what: str, error_class: str, numbers: str, **inputs: object) -> Refusal:
    message = (
        "Request too large for gpt-image-2 (for limit gpt-image) in organization org-x on "
        f"{numbers}. You can increase your rate limit by adding a payment method to your account."
    )
    return Refusal(
        what, error_class, 429, message, "input-images", "rate_limit_exceeded", dict(inputs)
    )


REFUSALS = [
    _spent("credit_balance_exhausted", "Your organization has no prepaid credits remaining."),
    _spent("organization_spend_limit_exceeded", "Your organization reached its spend limit."),
    _spent("project_spend_limit_exceeded", "Your project reached its spend limit."),
    _spent("organization_usage_limit_exceeded", "Your organization reached its usage limit."),
    _too_large(
        "429, more images than the limit",
        "RequestRejected",
        "input-images per min: Limit 5, Requested 10",
        number_of_images=10,
    ),
    _too_large(
        "429, more tokens than the limit",
        "RequestRejected",
        "tokens per min (TPM): Limit 10000, Used 20, Requested 28096",
        number_of_images=4,
    ),
    _too_large("429, a limit of 0", "QuotaExceeded", "input-images per min: Limit 0, Requested 1"),
    Refusal(
        "503, overloaded",
        "UpstreamDown",
        503,
        "Our servers are currently overloaded. Please try again later.",
        "service_unavailable_error",
        "server_is_overloaded",
    ),
    Refusal("403 of a firewall", "RequestRejected", 403),
    Refusal("408 of a gateway", "UpstreamTimedOut", 408),
]


@contextmanager
def refusing_upstream() -> Iterator[StandIn]:
    """Refuses each request with what its prompt names."""
    by_prompt = {refusal.prompt: refusal.answer for refusal in REFUSALS}

    def answer(request: Received) -> Answer:
        return by_prompt[json.loads(request.body)["prompt"]]

    with stand_in() as upstream:
        upstream.answer = answer
        yield upstream
