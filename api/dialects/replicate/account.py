"""The caller's account, its webhook secret, and the hardware that clients ask for."""

from typing import Any

from fastapi import APIRouter

from api.dialects.replicate.caller import Caller
from api.parts import The

router = APIRouter()


@router.get("/v1/account")
async def account(tenant: Caller) -> dict[str, Any]:
    """Get the account; replicate-python wants a name."""
    return {"type": "organization", "username": tenant.name, "name": tenant.name}


@router.get("/v1/webhooks/default/secret")
async def webhook_secret(tenant: Caller, the: The) -> dict[str, str]:
    """Get the secret that webhooks are signed with."""
    return {"key": await the.tenants.webhook_secret(tenant.id)}


@router.get("/v1/hardware")
async def hardware(_tenant: Caller) -> list[dict[str, str]]:
    """List hardware; Replicate's CLI checks a token with it."""
    return [{"name": "CPU", "sku": "cpu"}]
