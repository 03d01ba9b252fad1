"""Tasks in the body of an HTTP request, all answered in one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from api.body import json_list
from api.dialects.callers import bearer
from api.dialects.runware.access import BEFORE_AUTHENTICATION, checked_tasks, tenant_of
from api.dialects.runware.answer import Answer, Gathered, refusal, written
from api.dialects.runware.caller import Caller
from api.dialects.runware.problems import TaskError, invalid_key, task_error
from api.dialects.runware.tasks import answers
from api.errors import ApiError
from api.origin import origin
from api.parts import Parts, The
from api.tenants import Tenant

router = APIRouter()


@router.post("/v1")
@router.post("/")
async def post(request: Request, the: The) -> Response:
    """Answer all tasks of the body, once each is done or acknowledged."""
    gathered = Gathered()
    try:
        tenant = await _bearer(request, the)
        most = None if tenant else BEFORE_AUTHENTICATION
        async with the.bodies.read(request, most) as raw:
            tasks = checked_tasks(json_list(raw))
            del raw
            tenant = tenant or await tenant_of(tasks[0], the)
            caller = Caller(tenant, origin(request, the.settings), is_socket=False)
            given = [answers(task, caller, the) for task in tasks]
            del tasks
            firsts = await asyncio.gather(*map(anext, given))
        async with _noticing_who_goes(request, caller):
            rests = await asyncio.gather(*map(_all_of, given))
    except (ApiError, TaskError) as error:
        gathered.add(refusal(task_error(error)))
        return _response(gathered, the)
    for first, rest in zip(firsts, rests, strict=True):
        for answer in (first, *rest):
            gathered.add(answer)
    if caller.gone.is_set():
        _note(gathered, the, written=False)
        return Response(status_code=400)
    return _response(gathered, the)


async def _bearer(request: Request, the: Parts) -> Tenant | None:
    token = bearer(request)
    if token is None:
        return None
    tenant = await the.tenants.by_token(token)
    if tenant is None:
        raise invalid_key()
    return tenant


async def _all_of(given: AsyncIterator[Answer]) -> Sequence[Answer]:
    return [answer async for answer in given]


@asynccontextmanager
async def _noticing_who_goes(request: Request, caller: Caller) -> AsyncIterator[None]:
    async def notice() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        caller.gone.set()

    noticing = asyncio.ensure_future(notice())
    try:
        yield
    finally:
        noticing.cancel()


def _response(gathered: Gathered, the: Parts) -> Response:
    async def note() -> None:  # on the loop, before the connection's next request is read
        _note(gathered, the, written=True)

    headers: dict[str, Any] = {}
    if gathered.retry_after and gathered.status != 200:
        headers["Retry-After"] = str(gathered.retry_after)
    pieces = written(gathered.data, gathered.errors, the.files, over_http=True)
    return StreamingResponse(
        pieces, gathered.status, headers, "application/json", BackgroundTask(note)
    )


def _note(gathered: Gathered, the: Parts, *, written: bool) -> None:
    for id in gathered.predictions:
        the.predictions.answers.end(id, written=written)
