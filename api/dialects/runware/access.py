"""What HTTP and WebSocket both check first: whose key it is, and how many tasks there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.dialects.runware.problems import TaskError, invalid_key
from api.parts import Parts
from api.tenants import Tenant

BEFORE_AUTHENTICATION = 64 << 10  # bytes of a body or frame
AUTHENTICATION = "authentication"
_MOST_TASKS = 100  # in one body or frame


def checked_tasks(tasks: Sequence[Any]) -> Sequence[Any]:
    """The tasks of a body or frame.

    Raises:
        TaskError: there are none, or too many.
    """
    if not tasks:
        raise TaskError("missingTask", "Send an array with at least one task.")
    if len(tasks) > _MOST_TASKS:
        raise TaskError("maxTasksExceeded", f"Send at most {_MOST_TASKS} tasks at a time.")
    return tasks


def key_of(task: object) -> str:
    """The key of a task `authentication`.

    Raises:
        TaskError: it is not such a task, or has no key.
    """
    if not isinstance(task, Mapping) or task.get("taskType") != AUTHENTICATION:
        raise TaskError(
            "missingApiKey",
            "Send your API key first: in a task of type authentication, or over HTTP as a Bearer "
            "token.",
            "apiKey",
            status=401,
        )
    key = task.get("apiKey")
    if not isinstance(key, str):
        raise invalid_key()
    return key


async def tenant_of(task: object, the: Parts) -> Tenant:
    """Whose key the task `authentication` holds.

    Raises:
        TaskError: it holds none that is known.
    """
    tenant = await the.tenants.by_token(key_of(task))
    if tenant is None:
        raise invalid_key()
    return tenant
