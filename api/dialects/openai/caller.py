"""Who calls: a token of this API, and with it perhaps the caller's own OpenAI key."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers

from api.dialects.callers import admitted, bearer
from api.dialects.openai.refusals import BadParameter
from api.models import Model
from api.parts import The
from api.tenants import Tenant

_OWN_KEY = "x-openai-api-key"
_INPUT = "openai_api_key"


async def caller(request: Request, the: The) -> Tenant:
    """The tenant whose token came with the request; the body is not read before.

    Raises:
        Unauthenticated: none came, or it is not known.
        Throttled: the tenant has asked too often.
    """
    return await admitted(bearer(request), the, creates=request.method == "POST")


def own_key(headers: Headers, served: Model) -> dict[str, str]:
    """The input with the caller's own key, where one came.

    Raises:
        BadParameter: the model takes none, so somebody else would pay.
    """
    key = headers.get(_OWN_KEY)
    if key and _INPUT not in served.version.schema.properties:
        raise BadParameter(
            f"This server's model takes no key of your own; leave the header {_OWN_KEY} out.",
            _OWN_KEY,
        )
    return {_INPUT: key} if key else {}


Caller = Annotated[Tenant, Depends(caller)]
