"""The models as OpenAI's clients list them, with what AI/ML API tells beside."""

from typing import Any

from fastapi import APIRouter

from api.dialects.openai.caller import Caller
from api.dialects.openai.names import names, served_by
from api.dialects.openai.refusals import UnknownModel
from api.models import Model
from api.parts import The

router = APIRouter()


@router.get("/models")
@router.get("/api/v1/models")
async def models(_tenant: Caller, the: The) -> dict[str, Any]:
    """List the models."""
    return listing(served_by(the.models))


@router.get("/v1/models/{model_id:path}")
async def model(model_id: str, _tenant: Caller, the: The) -> dict[str, Any]:
    """Get a model, as OpenAI shows it."""
    return _found(model_id, served_by(the.models))


@router.get("/model/{model_id:path}")
@router.get("/v1/model/{model_id:path}")
async def aimls_model(model_id: str, _tenant: Caller, the: The) -> dict[str, Any]:
    """Get a model, as AI/ML API shows it."""
    return {"object": "model", "data": _found(model_id, served_by(the.models))}


def listing(served: Model) -> dict[str, Any]:
    """Each model twice: by OpenAI's name for it, and by AI/ML API's."""
    known = names(served)
    both = [*known, *(f"{served.owner}/{name}" for name in known)]
    return {"object": "list", "data": [_item(id, served) for id in both]}


def _found(id: str, served: Model) -> dict[str, Any]:
    if id.removeprefix(f"{served.owner}/") not in names(served):
        raise UnknownModel(f"The model does not exist here; there is {', '.join(names(served))}.")
    return _item(id, served)


def _item(id: str, served: Model) -> dict[str, Any]:
    name = id.removeprefix(f"{served.owner}/")
    full_name = f"{served.owner}/{name}"
    return {
        "id": id,
        "object": "model",
        "created": int(served.version.created_at),
        "owned_by": served.owner,
        "type": "openai/image-generations",
        "info": {"name": name, "developer": served.owner},
        "aliases": [name if id == full_name else full_name],
        "tags": [],
    }
