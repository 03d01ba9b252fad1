"""Who calls: the tenant of a token, wherever a dialect carries it."""

from starlette.requests import HTTPConnection

from api.errors import Unauthenticated
from api.parts import Parts
from api.tenants import Tenant

_SCHEMES = {"bearer", "token"}


async def admitted(token: str | None, the: Parts, *, creates: bool) -> Tenant:
    """The tenant whose token it is; this request counts against its rate.

    Raises:
        Unauthenticated: there is none, or it is not known.
        Throttled: the tenant has asked too often.
    """
    tenant = await the.tenants.by_token(token) if token else None
    if tenant is None:
        raise Unauthenticated
    await the.rates.check(tenant, creates=creates)
    return tenant


def bearer(request: HTTPConnection) -> str | None:
    """The token of the header `Authorization`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in _SCHEMES else None
