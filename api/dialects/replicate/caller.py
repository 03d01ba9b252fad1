"""Who calls, by the `Authorization` header: looked at before the body is read."""

from typing import Annotated

from fastapi import Depends, Request

from api.dialects.callers import admitted, bearer
from api.parts import The
from api.tenants import Tenant


async def caller(request: Request, the: The) -> Tenant:
    """The tenant whose token came with the request.

    Raises:
        Unauthenticated: none came, or it is not known.
        Throttled: the tenant has asked too often.
    """
    creates = request.method == "POST" and request.url.path.endswith("/predictions")
    return await admitted(bearer(request), the, creates=creates)


Caller = Annotated[Tenant, Depends(caller)]
