"""Who calls, by the `Authorization` header: looked at before the body is read."""

from typing import Annotated

from fastapi import Depends, Request

from api.errors import Unauthenticated
from api.parts import Parts, parts
from api.tenants import Tenant

_SCHEMES = {"bearer", "token"}


async def caller(request: Request, the: Annotated[Parts, Depends(parts)]) -> Tenant:
    """The tenant whose token came with the request.

    Raises:
        Unauthenticated: none came, or it is not known.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in _SCHEMES or not token.strip():
        raise Unauthenticated
    found = await the.tenants.by_token(token.strip())
    if found is None:
        raise Unauthenticated
    return found


Caller = Annotated[Tenant, Depends(caller)]
