"""The model and the account, as Runware's clients look them up."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.dialects.runware.caller import Caller
from api.dialects.runware.members import Members, missing
from api.dialects.runware.problems import Item, TaskError
from api.dialects.runware.request import AIR
from api.parts import Parts

_MODEL: Item = {
    "air": AIR,
    "name": "GPT Image 2",
    "version": "2",
    "category": "checkpoint",
    "architecture": "gpt-image-2",
    "type": "base",
    "tags": ["text-to-image", "image-to-image"],
    "heroImage": "",
    "private": False,
    "comment": "",
    "defaultWidth": 1024,
    "defaultHeight": 1024,
}
"""With every member that the client for Python insists on."""


async def search_models(task: Mapping[str, Any], _caller: Caller, _the: Parts) -> Item:
    """Answer `modelSearch`: there is one model, found by any part of its names."""
    members = Members(task)
    offset = members.whole("offset", least=0, most=1_000_000, default=0) or 0
    limit = members.whole("limit", least=1, most=100, default=20) or 20
    wanted = members.at("search") or ""
    names = f"{AIR} {_MODEL['name']} {_MODEL['architecture']}".lower()
    found = [_MODEL] if isinstance(wanted, str) and wanted.strip().lower() in names else []
    return {"totalResults": len(found), "results": found[offset : offset + limit]}


async def describe_account(task: Mapping[str, Any], caller: Caller, _the: Parts) -> Item:
    """Answer `accountManagement`: its details; usage is not counted here as it is there."""
    operation = Members(task).at("operation")
    if operation is None:
        raise missing("operation")
    if operation != "getDetails":
        raise TaskError(
            "unsupportedOperation", "The only operation here is getDetails.", "operation"
        )
    return {
        "operation": operation,
        "organizationName": caller.tenant.name,
        "organizationUUID": _as_uuid(caller.tenant.id),
        "team": [],
        "apiKeys": [],
    }


def _as_uuid(id: str) -> str:
    return str(UUID(bytes=id.encode()[:16], version=4))
