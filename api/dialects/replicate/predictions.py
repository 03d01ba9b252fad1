"""Looking at predictions, and canceling them."""

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request

from api.dialects.replicate.caller import Caller
from api.dialects.replicate.shapes import Shapes
from api.errors import NotFound, Unprocessable
from api.parts import The
from api.predictions.prediction import Prediction
from api.predictions.store import Page

router = APIRouter()

_A_PAGE = 100
_AI_SDK = "ai-sdk/replicate"
_HELD_SECONDS = 2.0
_NOT_FOUND = "Prediction not found"


@router.get("/v1/predictions/{prediction_id}")
async def get(prediction_id: str, request: Request, tenant: Caller, the: The) -> dict[str, Any]:
    """Get a prediction."""
    found = await the.predictions.get(prediction_id, tenant)
    if found is None:
        raise NotFound(_NOT_FOUND)
    if _AI_SDK in request.headers.get("user-agent", "") and not found.has_ended:
        # It gives up after 240 looks half a second apart, too early for a large picture.
        found = await the.predictions.ended(found.id, _HELD_SECONDS) or found
    return await Shapes(the).prediction(found)


@router.post("/v1/predictions/{prediction_id}/cancel")
async def cancel(prediction_id: str, tenant: Caller, the: The) -> dict[str, Any]:
    """Cancel a prediction."""
    found = await the.predictions.get(prediction_id, tenant)
    if found is None:
        raise NotFound(_NOT_FOUND)
    canceled = found if found.has_ended else await the.predictions.cancel(found)
    return await Shapes(the).prediction(canceled)


@router.get("/v1/predictions")
async def list_(
    request: Request,
    tenant: Caller,
    the: The,
    cursor: str | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    source: Annotated[str | None, Query(description="web lists none: all come by the API")] = None,
) -> dict[str, Any]:
    """List predictions, newest first."""
    before, after = _read_cursor(cursor)
    page = Page(
        tenant_id=None if tenant.is_operator else tenant.id,
        limit=_A_PAGE + 1,
        before=before,
        after=after,
        created_before=_time("created_before", created_before),
        created_after=_time("created_after", created_after),
    )
    found = [] if source == "web" else await the.predictions.page(page)
    has_more = len(found) > _A_PAGE
    if after:
        shown, has_newer, has_older = found[-_A_PAGE:], has_more, bool(found)
    else:
        shown, has_newer, has_older = found[:_A_PAGE], before is not None and bool(found), has_more
    shapes = Shapes(the)
    kept = {"created_after": created_after, "created_before": created_before}
    address = f"{the.origin(request)}/v1/predictions"
    return {
        "previous": _link(address, "after", shown[0], kept) if has_newer else None,
        "next": _link(address, "before", shown[-1], kept) if has_older else None,
        "results": [await shapes.prediction(each, in_list=True) for each in shown],
    }


def _link(address: str, direction: str, prediction: Prediction, kept: dict[str, str | None]) -> str:
    place = json.dumps([direction, prediction.created_at, prediction.id])
    cursor = base64.urlsafe_b64encode(place.encode()).decode()
    query = {name: value for name, value in kept.items() if value is not None}
    return f"{address}?{urlencode(query | {'cursor': cursor})}"


def _read_cursor(
    cursor: str | None,
) -> tuple[tuple[float, str] | None, tuple[float, str] | None]:
    """Before and after."""
    if not cursor:
        return None, None
    try:
        direction, time, id = json.loads(base64.urlsafe_b64decode(cursor))
        place = (float(time), str(id))
    except (binascii.Error, ValueError, TypeError):
        raise Unprocessable("The cursor is not one of ours; take it from `next`.") from None
    return (place, None) if direction == "before" else (None, place)


def _time(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Unprocessable(f"{name} needs a time such as 2026-11-21T18:00:00Z.") from None
    if time.tzinfo is None:
        raise Unprocessable(f"{name} needs a time zone, as in 2026-11-21T18:00:00Z.")
    return time.timestamp()
