"""Generations and edits: each becomes one prediction, whose end is the answer."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.body import json_object
from api.dialects.accepting import Asked, accept
from api.dialects.openai.answering import answer
from api.dialects.openai.caller import Caller, own_key
from api.dialects.openai.edit_body import EditBodies
from api.dialects.openai.names import served_by
from api.dialects.openai.parameters import Reply, understood
from api.dialects.retries import says_it_repeats
from api.errors import ApiError
from api.ids import new_id, now
from api.origin import origin
from api.parts import Parts, The
from api.predictions.prediction import Prediction
from api.predictions.predictions import request_hash
from api.tenants import Tenant

router = APIRouter()


@router.post("/images/generations")
@router.post("/v1/images/generations")
async def generate(request: Request, tenant: Caller, the: The) -> Response:
    """Draw pictures from a prompt."""
    return await answer(*await _generation(request, tenant, the), request, the)


@router.post("/images/edits")
@router.post("/v1/images/edits")
async def edit(request: Request, tenant: Caller, the: The) -> Response:
    """Draw pictures from a prompt and other pictures."""
    return await answer(*await _edit(request, tenant, the), request, the)


async def _generation(request: Request, tenant: Tenant, the: Parts) -> tuple[Prediction, Reply]:
    began_at = now()
    async with the.bodies.read(request) as raw:
        given, content = json_object(raw), hashlib.sha256(raw).digest()
        del raw
        input, reply = understood(given, served_by(the.models), is_edit=False)
        asked = _asked(new_id(), input, content, began_at, request, tenant, the)
        return (await accept(asked, the)).prediction, reply


async def _edit(request: Request, tenant: Tenant, the: Parts) -> tuple[Prediction, Reply]:
    began_at, id = now(), new_id()
    bodies = EditBodies(request, tenant, id, origin(request, the.settings), the)
    try:
        async with bodies.read() as body:
            input, reply = understood(body.parameters, served_by(the.models), is_edit=True)
            asked = _asked(id, input, body.digest, began_at, request, tenant, the)
            return (await accept(asked, the)).prediction, reply
    except ApiError:
        await the.input_files.forget(id)
        raise


def _asked(
    id: str,
    input: Mapping[str, Any],
    content: bytes,
    began_at: float,
    request: Request,
    tenant: Tenant,
    the: Parts,
) -> Asked:
    model = served_by(the.models)
    key = own_key(request.headers, model)
    equal = content + repr(key).encode()
    return Asked(
        id=id,
        tenant=tenant,
        model=model,
        input={**input, **key},
        origin=origin(request, the.settings),
        request_hash=request_hash(tenant.token_id, request.url.path, equal),
        hung_up=request.is_disconnected,
        began_at=began_at,
        says_it_repeats=says_it_repeats(request.headers),
    )
