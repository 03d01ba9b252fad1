"""Who has signed in, and what this API can do for them."""

from typing import Any

from fastapi import APIRouter

from api.dialects.replicate.caller import Caller
from api.parts import The

router = APIRouter(include_in_schema=False)


@router.get("/playground/session")
async def session(tenant: Caller, the: The) -> dict[str, Any]:
    """The tenant's name and role, and how long its data is kept."""
    return {
        "tenant": tenant.name,
        "operator": tenant.is_operator,
        "retention_seconds": the.settings.retention_seconds,
    }
