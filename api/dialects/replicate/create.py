"""Creating predictions: from the body to a stored prediction, and how its caller waits."""

import logging
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from api.body import json_object
from api.dialects.accepting import Asked, accept
from api.dialects.replicate.aliases import with_own_names
from api.dialects.replicate.caller import Caller
from api.dialects.replicate.headers import Wait, cancel_after, wait_of
from api.dialects.replicate.openapi import CREATE, CREATE_BY_VERSION
from api.dialects.replicate.shapes import Shapes, bare
from api.dialects.retries import says_it_repeats
from api.dialects.waiting import ended_or_hung_up
from api.ids import now
from api.input_check import missing, not_a_uri, wrong_choice, wrong_member
from api.json_answer import JsonAnswer
from api.models import Model
from api.origin import origin
from api.parts import Parts, The
from api.predictions.prediction import Prediction
from api.predictions.predictions import request_hash
from api.tenants import Tenant

log = logging.getLogger(__name__)
router = APIRouter()

_EVENTS = ("start", "output", "logs", "completed")
_USUAL_EVENTS = ("output", "completed")


@router.post("/v1/models/{owner}/{name}/predictions", status_code=201, openapi_extra=CREATE)
async def by_model(owner: str, name: str, request: Request, tenant: Caller, the: The) -> Response:
    """Create a prediction with a model."""
    return await _create(request, tenant, the, the.models.named(owner, name))


@router.post("/v1/predictions", status_code=201, openapi_extra=CREATE_BY_VERSION)
async def by_version(request: Request, tenant: Caller, the: The) -> Response:
    """Create a prediction with a version."""
    return await _create(request, tenant, the, None)


@router.post("/v1/deployments/{owner}/{name}/predictions", status_code=201, openapi_extra=CREATE)
async def by_deployment(
    owner: str, name: str, request: Request, tenant: Caller, the: The
) -> Response:
    """Create a prediction with a deployment."""
    model = the.models.deployed(owner, name)
    return await _create(request, tenant, the, model, deployment=f"{owner}/{name}")


async def _create(
    request: Request,
    tenant: Tenant,
    the: Parts,
    model: Model | None,
    *,
    deployment: str | None = None,
) -> Response:
    """Without a model, the body's version says which."""
    began_at = now()
    wait = wait_of(request.headers)
    async with the.bodies.read(request) as raw:
        body = json_object(raw)
        model = model or the.models.of_version(_version(body))
        hashed = request_hash(tenant.token_id, request.url.path, raw)
        del raw
        asked = Asked(
            tenant=tenant,
            model=model,
            input=with_own_names(_input(body), model.version.schema.properties),
            origin=origin(request, the.settings),
            request_hash=hashed,
            hung_up=request.is_disconnected,
            began_at=began_at,
            says_it_repeats=says_it_repeats(request.headers),
            deployment=deployment,
            seconds=cancel_after(request.headers),
            webhook=_webhook(body),
            webhook_events=_webhook_events(body),
        )
        accepted = await accept(asked, the)
    return await _answer(accepted.prediction, wait, request, the)


async def _answer(
    prediction: Prediction, wait: Wait | None, request: Request, the: Parts
) -> Response:
    """Always 201: clients send again what was answered with 5xx or 429, and would pay twice."""
    try:
        present, hung_up = prediction, False
        if wait:
            present, hung_up = await ended_or_hung_up(prediction, wait.seconds, request, the)
        content = await Shapes(the).prediction(present)
    except Exception:
        log.exception(
            "A new prediction could not be shown in full; its caller got its id.",
            extra={"prediction": prediction.id},
        )
        content, hung_up = bare(prediction), False
    if content["status"] == "processing":
        # Clients poll only while it says so.
        content["status"] = "starting"
    if hung_up or await request.is_disconnected():
        the.predictions.answers.end(prediction.id, written=False)
        return Response(status_code=201)

    async def note_that_it_was_written() -> None:
        # On the loop, before the connection's next request is read: a plain function would run in
        # a thread, and until then an answered request looks like one whose caller has gone.
        the.predictions.answers.end(prediction.id, written=True)

    headers = {"Preference-Applied": wait.applied} if wait else {}
    return JsonAnswer(content, 201, headers, background=BackgroundTask(note_that_it_was_written))


def _input(body: dict[str, Any]) -> dict[str, Any]:
    if "input" not in body:
        raise missing("input")
    if not isinstance(body["input"], dict):
        raise wrong_member("input", "object", body["input"])
    return body["input"]


def _version(body: dict[str, Any]) -> str:
    if "version" not in body:
        raise missing("version")
    if not isinstance(body["version"], str):
        raise wrong_member("version", "string", body["version"])
    return body["version"]


def _webhook(body: dict[str, Any]) -> str | None:
    url = body.get("webhook")
    if url is None:
        return None
    if not isinstance(url, str):
        raise wrong_member("webhook", "string", url)
    if not url.startswith(("http://", "https://")):
        raise not_a_uri("webhook")
    return url


def _webhook_events(body: dict[str, Any]) -> tuple[str, ...]:
    events = body.get("webhook_events_filter")
    if events is None:
        return _USUAL_EVENTS
    if not isinstance(events, list):
        raise wrong_member("webhook_events_filter", "array", events)
    for number, event in enumerate(events):
        if event not in _EVENTS:
            raise wrong_choice(f"webhook_events_filter.{number}", _EVENTS)
    return tuple(dict.fromkeys(events))
