"""Who calls, by the `Authorization` header: looked at before the body is read."""

from typing import Annotated

from fastapi import Depends, Request

from api.errors import Unauthenticated
from api.parts import The
from api.tenants import Tenant

_SCHEMES = {"bearer", "token"}


async def caller(request: Request, the: The) -> Tenant:
    """The tenant whose token came with the request.

    Raises:
        Unauthenticated: none came, or it is not known.
        Throttled: the tenant has asked too often.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in _SCHEMES or not token.strip():
        raise Unauthenticated
    tenant = await the.tenants.by_token(token.strip())
    if tenant is None:
        raise Unauthenticated
    creates = request.method == "POST" and request.url.path.endswith("/predictions")
    await the.rates.check(tenant, creates=creates)
    return tenant


Caller = Annotated[Tenant, Depends(caller)]
