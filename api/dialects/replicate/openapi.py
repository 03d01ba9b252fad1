"""Bodies and headers that routes read by themselves, for the OpenAPI document."""

from typing import Any

_MEMBERS: dict[str, Any] = {
    "input": {"type": "object"},
    "webhook": {"type": "string", "format": "uri"},
    "webhook_events_filter": {
        "type": "array",
        "items": {"type": "string", "enum": ["start", "output", "logs", "completed"]},
    },
    "stream": {"type": "boolean"},
}
_HEADERS = [
    {"name": "Prefer", "in": "header", "schema": {"type": "string"}, "example": "wait=10"},
    {"name": "Cancel-After", "in": "header", "schema": {"type": "string"}, "example": "5m"},
]


def _creates(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": members, "required": required}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "parameters": _HEADERS}


CREATE = _creates(_MEMBERS, ["input"])
CREATE_BY_VERSION = _creates({"version": {"type": "string"}} | _MEMBERS, ["version", "input"])

_FILE: dict[str, Any] = {
    "content": {"type": "string", "format": "binary"},
    "filename": {"type": "string", "maxLength": 255},
    "metadata": {"type": "object", "default": {}},
    "type": {"type": "string", "default": "application/octet-stream"},
}
CREATE_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": _FILE, "required": ["content"]}
            }
        },
    }
}
