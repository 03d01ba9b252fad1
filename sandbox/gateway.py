"""What gateways between a client and OpenAI do to requests and answers."""

import dataclasses
import re
from typing import Final

from sandbox.answer import Draft
from sandbox.errors import ApiError
from sandbox.job import Endpoint, Job, Size
from sandbox.markers import markers

QUIRKS: Final = {
    "no-safety-identifier": "refuses safety_identifier as unknown",
    "no-moderation-on-edits": "refuses moderation on edits as unknown",
    "no-usage": "answers without usage",
    "no-usage-details": "answers with usage but without its details",
    "rewrites-errors": "changes the type of errors and appends its own request id",
    "says-jpg": 'calls the format "jpg" instead of "jpeg"',
    "ignores-size": "draws 1024x1024 whatever was asked",
    "escapes-slashes": r"writes base64 with \/ for /, as PHP does",
    "keep-alive": "sends white space while it waits, before the JSON; in a stream comments",
    "no-created": "answers without created",
    "wraps-base64": "puts a data: prefix and line breaks into base64",
}


def check_names(names: tuple[str, ...]) -> frozenset[str]:
    """Return the quirks as a set; raises ``ValueError`` for one that does not exist."""
    unknown = [name for name in names if name not in QUIRKS]
    if unknown:
        raise ValueError(f"SANDBOX_GATEWAY names no such quirk: {', '.join(unknown)}")
    return frozenset(names)


def asked_for(prompt: str) -> frozenset[str]:
    """Return the quirks that a prompt's markers ask for."""
    return frozenset(marker.name for marker in markers(prompt) if marker.name in QUIRKS)


def refused_keys(quirks: frozenset[str], endpoint: Endpoint) -> frozenset[str]:
    """Return the parameters that the gateway does not know."""
    refused = set()
    if "no-safety-identifier" in quirks:
        refused.add("safety_identifier")
    if "no-moderation-on-edits" in quirks and endpoint == "edits":
        refused.add("moderation")
    return frozenset(refused)


def change_job(job: Job, quirks: frozenset[str]) -> Job:
    """Return the job that the gateway passes on."""
    if "ignores-size" in quirks:
        return dataclasses.replace(job, size=Size(1024, 1024))
    return job


def change_draft(draft: Draft, quirks: frozenset[str]) -> None:
    """Change an answer on its way back."""
    envelope = draft.envelope
    usage = envelope.get("usage")
    if "no-usage" in quirks:
        envelope.pop("usage", None)
    elif "no-usage-details" in quirks and isinstance(usage, dict):
        envelope["usage"] = {k: v for k, v in usage.items() if not k.endswith("_details")}
    if "no-created" in quirks:
        del envelope["created"]
    if "says-jpg" in quirks and envelope["output_format"] == "jpeg":
        envelope["output_format"] = "jpg"
    draft.escape_slashes = "escapes-slashes" in quirks
    if "wraps-base64" in quirks:
        _wrap_base64(draft)


def _wrap_base64(draft: Draft) -> None:
    prefix = f"data:image/{draft.envelope['output_format']};base64,".encode()
    for slot in draft.data or []:
        if slot.b64 is not None:
            lines = re.findall(rb".{1,4096}", slot.b64)
            slot.b64 = prefix + rb"\r\n".join(lines)


def change_error(error: ApiError, quirks: frozenset[str], request_id: str) -> ApiError:
    """Return an error as the gateway words it."""
    if "rewrites-errors" not in quirks:
        return error
    return ApiError(
        error.status,
        f"{error.message} (request id: {request_id.removeprefix('req_')})",
        type="new_api_error" if error.status < 500 else "upstream_error",
        code=error.code,
        param=error.param,
        headers=error.headers,
        details=error.details,
    )
