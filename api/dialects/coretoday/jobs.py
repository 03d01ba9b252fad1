"""Jobs: predictions as core.today's callers create, poll and cancel them."""

import logging
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from api.body import json_object
from api.dialects.accepting import Asked, accept
from api.dialects.callers import admitted
from api.dialects.coretoday.schema import checked
from api.dialects.outputs import Outputs
from api.dialects.retries import says_it_repeats
from api.errors import NotFound
from api.ids import now
from api.input_check import missing, wrong_member
from api.origin import origin
from api.parts import Parts, The
from api.predictions.prediction import Prediction, State
from api.predictions.predictions import request_hash
from api.tenants import Tenant

log = logging.getLogger(__name__)
router = APIRouter()

_PROVIDER = "replicate"  # as its page names it
_STATUS = {
    State.QUEUED: "pending",
    State.TAKEN: "pending",
    State.SENT: "processing",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELED: "cancelled",
}


async def caller(request: Request, the: The) -> Tenant:
    """The tenant whose token came as `X-API-Key`; the body is not read before.

    Raises:
        Unauthenticated: none came, or it is not known.
        Throttled: the tenant has asked too often.
    """
    token = request.headers.get("x-api-key", "").strip()
    return await admitted(token, the, creates=request.method == "POST")


Caller = Annotated[Tenant, Depends(caller)]


@router.post("/v1/predictions")
async def create(request: Request, tenant: Caller, the: The) -> JSONResponse:
    """Create a job."""
    began_at = now()
    async with the.bodies.read(request) as raw:
        body = json_object(raw)
        hashed = request_hash(tenant.token_id, "job", raw)
        del raw
        asked = Asked(
            tenant=tenant,
            model=the.models.first,
            input=_input(body, the),
            origin=origin(request, the.settings),
            request_hash=hashed,
            hung_up=request.is_disconnected,
            began_at=began_at,
            says_it_repeats=says_it_repeats(request.headers),
        )
        prediction = (await accept(asked, the)).prediction
    return await _first_answer(prediction, request, the)


@router.get("/v1/predictions/{job_id}")
async def get(job_id: str, tenant: Caller, the: The) -> dict[str, Any]:
    """Get a job."""
    return await _job(await _found(job_id, tenant, the), the)


@router.delete("/v1/predictions/{job_id}")
async def cancel(job_id: str, tenant: Caller, the: The) -> dict[str, Any]:
    """Cancel a job; one that has ended stays as it is."""
    found = await _found(job_id, tenant, the)
    return await _job(found if found.has_ended else await the.predictions.cancel(found), the)


async def _first_answer(prediction: Prediction, request: Request, the: Parts) -> JSONResponse:
    """Always 201: it is accepted, and a caller who is told otherwise may send it again."""
    try:
        content = await _job(prediction, the)
    except Exception:
        log.exception(
            "A new prediction could not be shown in full; its caller got its id.",
            extra={"prediction": prediction.id},
        )
        content = _bare(prediction)
    answers = the.predictions.answers
    if await request.is_disconnected():
        answers.end(prediction.id, written=False)
        return JSONResponse(content, 201)

    async def note_that_it_was_written() -> None:
        answers.end(prediction.id, written=True)

    return JSONResponse(content, 201, background=BackgroundTask(note_that_it_was_written))


def _input(body: dict[str, Any], the: Parts) -> dict[str, Any]:
    for name, kind, description in (("model", str, "string"), ("input", dict, "object")):
        if name not in body:
            raise missing(name)
        if not isinstance(body[name], kind):
            raise wrong_member(name, description, body[name])
    if body["model"] != the.models.first.full_name:
        raise NotFound(f"There is no such model here; there is {the.models.first.full_name}.")
    return checked(body["input"])


async def _found(job_id: str, tenant: Tenant, the: Parts) -> Prediction:
    if found := await the.predictions.get(job_id, tenant):
        return found
    raise NotFound("There is no such job.")


async def _job(prediction: Prediction, the: Parts) -> dict[str, Any]:
    job = _bare(prediction)
    if prediction.state is State.SUCCEEDED:
        outputs = Outputs(the)
        files = await outputs.of(prediction)
        job["result"] = [outputs.address(prediction, file) for file in files]
    return job


def _bare(prediction: Prediction) -> dict[str, Any]:
    created_at = datetime.fromtimestamp(prediction.created_at, UTC)
    return {
        "job_id": prediction.id,
        "status": _STATUS[prediction.state],
        "provider": _PROVIDER,
        "model": prediction.model,
        "created_at": created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "result": None,
        "error": prediction.error,
    }
