"""One task, over HTTP or WebSocket: what answers it, and how a failure is told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from api.dialects.runware.access import AUTHENTICATION, tenant_of
from api.dialects.runware.answer import Answer, refusal
from api.dialects.runware.asking import describe_task, get_response
from api.dialects.runware.caller import Caller
from api.dialects.runware.catalogue import describe_account, search_models
from api.dialects.runware.image_ids import new_uuid
from api.dialects.runware.inference import infer
from api.dialects.runware.media import store_media, upload_image
from api.dialects.runware.members import Members
from api.dialects.runware.problems import Item, TaskError, task_error
from api.dialects.runware.results import TASK
from api.parts import Parts

_PING = "ping"
_LONGEST_SESSION = 64  # characters

_SIMPLE: Mapping[str, Callable[[Mapping[str, Any], Caller, Parts], Awaitable[Item]]] = {
    "imageUpload": upload_image,
    "mediaStorage": store_media,
    "modelSearch": search_models,
    "accountManagement": describe_account,
}
"""Tasks of one answer, which is one item; the task's type and UUID are added to it."""
_ABOUT_TASKS: Mapping[str, Callable[[Mapping[str, Any], Caller, Parts], Awaitable[Answer]]] = {
    "getResponse": get_response,
    "getTaskDetails": describe_task,
}


async def answers(task: object, caller: Caller, the: Parts) -> AsyncIterator[Answer]:
    """Every answer to the task, as it is ready; what goes wrong is an answer too.

    The first comes as soon as the task itself is not needed any more, though it may be empty.
    """
    try:
        if not isinstance(task, dict):
            raise TaskError("invalidTask", "A task is a JSON object with a taskType.")
        kind = Members(task).text("taskType", most=100)
        await the.rates.check(caller.tenant, creates=kind == TASK)
        if kind == TASK:
            async for answer in infer(task, caller, the):
                yield answer
        elif about := _ABOUT_TASKS.get(kind):
            yield await about(task, caller, the)
        elif simple := _SIMPLE.get(kind):
            id = Members(task).text("taskUUID", most=100)
            named: Item = {"taskType": kind, "taskUUID": id}
            yield Answer([named | await simple(task, caller, the)])
        elif kind == _PING:
            yield Answer([{"taskType": _PING, "pong": True}])
        elif kind == AUTHENTICATION:
            yield await _authenticated(task, caller, the)
        else:
            raise TaskError(
                "invalidTaskType", f"The taskTypes served here are {_KINDS}.", "taskType"
            )
    except Exception as error:  # noqa: BLE001 - a client without an answer waits for ever
        yield refusal(task_error(error), task)


async def _authenticated(task: Mapping[str, Any], caller: Caller, the: Parts) -> Answer:
    """The session that the client names, or a new one: every session finds every task."""
    tenant = await tenant_of(task, the)
    if tenant.id != caller.tenant.id:
        raise TaskError(
            "conflictApiKey", "This connection is another account's; open a new one.", "apiKey"
        )
    session = task.get("connectionSessionUUID")
    is_usable = isinstance(session, str) and 0 < len(session) <= _LONGEST_SESSION
    named = session if is_usable else new_uuid()
    return Answer([{"taskType": AUTHENTICATION, "connectionSessionUUID": named}])


_KINDS = ", ".join([AUTHENTICATION, _PING, TASK, *_ABOUT_TASKS, *_SIMPLE])
