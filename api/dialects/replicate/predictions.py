"""Looking at predictions, and canceling them."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request

from api.dialects.replicate.caller import Caller
from api.dialects.replicate.pages import PAGE, page, read_cursor
from api.dialects.replicate.shapes import Shapes
from api.errors import NotFound, Unprocessable
from api.json_answer import JsonAnswer
from api.origin import origin
from api.parts import The
from api.predictions.listing import Page

router = APIRouter()

_AI_SDK = "ai-sdk/replicate"
_HELD_SECONDS = 2.0
_NOT_FOUND = "Prediction not found"


@router.get("/v1/predictions/{prediction_id}")
async def get(prediction_id: str, request: Request, tenant: Caller, the: The) -> JsonAnswer:
    """Get a prediction."""
    found = await the.predictions.get(prediction_id, tenant)
    if found is None:
        raise NotFound(_NOT_FOUND)
    if _AI_SDK in request.headers.get("user-agent", "") and not found.has_ended:
        # It gives up after 240 looks half a second apart, too early for a large picture.
        found = await the.predictions.ended(found.id, _HELD_SECONDS) or found
    return JsonAnswer(await Shapes(the).prediction(found))


@router.post("/v1/predictions/{prediction_id}/cancel")
async def cancel(prediction_id: str, tenant: Caller, the: The) -> JsonAnswer:
    """Cancel a prediction."""
    found = await the.predictions.get(prediction_id, tenant)
    if found is None:
        raise NotFound(_NOT_FOUND)
    canceled = found if found.has_ended else await the.predictions.cancel(found)
    return JsonAnswer(await Shapes(the).prediction(canceled))


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
    edge = read_cursor(cursor)
    wanted = Page(
        tenant_id=None if tenant.is_operator else tenant.id,
        limit=PAGE + 1,
        before=edge.before,
        after=edge.after,
        created_before=_time("created_before", created_before),
        created_after=_time("created_after", created_after),
    )
    found = [] if source == "web" else await the.predictions.page(wanted)
    shapes = {each.id: await Shapes(the).prediction(each, in_list=True) for each in found}
    times = {"created_after": created_after, "created_before": created_before}
    query = urlencode({name: time for name, time in times.items() if time is not None})
    return page(
        found,
        edge,
        f"{origin(request, the.settings)}/v1/predictions?{query}".rstrip("?"),
        place=lambda each: (each.created_at, each.id),
        shape=lambda each: shapes[each.id],
    )


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
