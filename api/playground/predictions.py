"""Predictions as the page shows them: every file with its address, small pictures and size."""

from enum import StrEnum
from typing import Any

from fastapi import APIRouter

from api.dialects.replicate.caller import Caller
from api.dialects.replicate.pages import page, read_cursor
from api.dialects.replicate.shapes import bare
from api.errors import NotFound
from api.files.rows import StoredFile
from api.files.thumbnail_ids import Edge
from api.parts import Parts, The
from api.playground.thumbnails import small_address
from api.predictions.listing import Page
from api.predictions.prediction import UNFINISHED, Prediction, State
from api.predictions.references import FileReference, Reference, references, replaced

router = APIRouter(include_in_schema=False)

_PAGE = 40  # cards; a screen or two of them


class Filter(StrEnum):
    """What the gallery can be narrowed to."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


_STATES = {
    Filter.RUNNING: UNFINISHED,
    Filter.SUCCEEDED: (State.SUCCEEDED,),
    Filter.FAILED: (State.FAILED,),
    Filter.CANCELED: (State.CANCELED,),
}


@router.get("/playground/predictions")
async def gallery(
    tenant: Caller, the: The, cursor: str | None = None, state: Filter | None = None
) -> dict[str, Any]:
    """A page of them, newest first; an operator sees everybody's, with their names."""
    edge = read_cursor(cursor)
    wanted = Page(
        tenant_id=None if tenant.is_operator else tenant.id,
        limit=_PAGE + 1,
        before=edge.before,
        after=edge.after,
        states=_STATES[state] if state else (),
    )
    found = await the.predictions.page(wanted)
    names = await the.tenants.names() if tenant.is_operator else {}
    shown = {each.id: await _shown(each, the, names) for each in found}
    return page(
        found,
        edge,
        "/playground/predictions" + (f"?state={state}" if state else ""),
        size=_PAGE,
        place=lambda each: (each.created_at, each.id),
        shape=lambda each: shown[each.id],
    )


@router.get("/playground/predictions/{prediction_id}")
async def one(prediction_id: str, tenant: Caller, the: The) -> dict[str, Any]:
    """A prediction, with its log lines so far."""
    found = await the.predictions.get(prediction_id, tenant)
    if found is None:
        raise NotFound("Prediction not found")
    names = await the.tenants.names() if tenant.is_operator else {}
    return await _shown(found, the, names) | {"logs": the.predictions.logs_of(found)}


async def _shown(prediction: Prediction, the: Parts, names: dict[str, str]) -> dict[str, Any]:
    content = [prediction.input, prediction.output]
    ids = sorted({each.id for _, each in references(content) if isinstance(each, FileReference)})
    found = await the.files.find_all(ids) if ids else {}
    sizes = await the.thumbnails.sizes(ids) if ids else {}
    ended_at = prediction.completed_at or prediction.deadline
    expires_at = ended_at + the.settings.retention_seconds
    # Paths alone: the page may be open under another name than the one that the caller used.
    paths = {id: the.files.address(file, "", expires_at) for id, file in found.items()}

    def path(reference: Reference) -> str | None:
        return paths.get(reference.id) if isinstance(reference, FileReference) else reference.url

    shape = bare(prediction)
    del shape["urls"], shape["source"], shape["version"]
    return shape | {
        "input": replaced(prediction.input, path),
        "output": replaced(prediction.output, path),
        "metrics": prediction.metrics or {},
        "tenant": names.get(prediction.tenant_id),
        "files": {
            paths[id]: _file(file, paths[id]) | sizes.get(id, {}) for id, file in found.items()
        },
    }


def _file(file: StoredFile, path: str) -> dict[str, Any]:
    return {
        "name": file.name,
        "type": file.content_type,
        "bytes": file.size,
        "thumbnail": small_address(path, Edge.THUMBNAIL),
        "preview": small_address(path, Edge.PREVIEW),
    }
