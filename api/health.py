"""Whether the process lives, and whether a prediction sent now would run."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.errors import NotReady
from api.parts import The

router = APIRouter(prefix="/health", include_in_schema=False)


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(the: The) -> JSONResponse:
    """The database answers, and each model's server serves; 503 with the reason if not."""
    reason = None
    try:
        await the.heart.store.oldest_queued_at()
        for model in the.models.all:
            _ = model.version
    except NotReady as error:
        reason = error.detail
    if reason is None and not await the.heart.serves():
        reason = "The model's server is not ready to take predictions."
    if reason:
        return JSONResponse({"status": "not ready", "reason": reason}, 503)
    return JSONResponse({"status": "ready"})
