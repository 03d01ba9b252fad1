"""The task `imageInference`: what it is for the model, and how its caller gets the pictures."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.dialects.accepting import Asked, accept_group
from api.dialects.routing import Dialect
from api.dialects.runware.answer import Answer, refusal
from api.dialects.runware.caller import Caller
from api.dialects.runware.drawing import Drawing
from api.dialects.runware.media import as_address
from api.dialects.runware.problems import Item, TaskError
from api.dialects.runware.request import Inference, equal_requests
from api.dialects.runware.results import TASK, Results
from api.parts import Parts
from api.predictions.prediction import Prediction

log = logging.getLogger(__name__)

_MOST_A_CALL = 10  # pictures; the upstream's own bound
_GRACE = 120.0  # seconds after the deadline by which a prediction has ended


@dataclass(frozen=True)
class Accepted:
    """The predictions of a task."""

    predictions: Sequence[Prediction]
    task_uuid: str
    """Under which the client waits, though an earlier task may have made them."""
    is_async: bool


async def infer(task: dict[str, Any], caller: Caller, the: Parts) -> AsyncIterator[Answer]:
    """Answer the task: at once where it is asynchronous, else as its pictures are ready.

    Raises:
        TaskError, ApiError: it is refused; nothing was started.
    """
    accepted = await _accepted(task, caller, the)
    # They are stored by now; the memory is not held while the caller waits.
    for name in ("inputs", "referenceImages"):
        task.pop(name, None)
    try:
        if accepted.is_async:
            yield _acknowledgement(accepted)
            return
        yield Answer()
        async for answer in _as_they_end(accepted, caller, the):
            yield answer
    except Exception:
        # An HTTP answer of 500 would be asked for again, and the answer is lost in any case.
        log.exception("An accepted task could not be answered.")
        error = TaskError("taskFailed", "The task goes on; get its pictures with getResponse.")
        yield refusal(error, task)


async def _accepted(task: Mapping[str, Any], caller: Caller, the: Parts) -> Accepted:
    inference = Inference.of(task, int(the.settings.retention_seconds))
    conflict = TaskError(
        "conflictTaskUUID",
        "A task with this taskUUID was sent before; get its pictures with getResponse.",
        "taskUUID",
    )
    earlier = await the.predictions.group(caller.tenant, inference.id)
    if not earlier:
        asked = await _asked(task, inference, caller, the)
        accepted = await accept_group(asked, the)
        if accepted.repeats != inference.id:
            return Accepted(accepted.predictions, inference.task_uuid, inference.is_async)
        earlier = accepted.predictions
    if caller.is_socket:
        raise conflict
    return Accepted(earlier, inference.task_uuid, inference.is_async)


async def _asked(
    task: Mapping[str, Any], inference: Inference, caller: Caller, the: Parts
) -> list[Asked]:
    """What to ask of the heart: as many predictions as the upstream needs calls."""
    model = the.models.taking("size")  # the extended one, where there is one
    properties = model.version.schema.properties
    drawing = Drawing.of(inference, properties, scales=the.settings.runware_sizes == "scale")
    references = [
        await as_address(each, f"inputs.referenceImages[{number}]", caller, the)
        for number, each in enumerate(inference.references)
    ]
    hashed = equal_requests(task, caller.tenant.token_id, inference)
    hung_up = caller.hung_up()
    return [
        Asked(
            tenant=caller.tenant,
            model=model,
            input=drawing.input(inference, properties, references, count),
            origin=caller.origin,
            request_hash=hashed,
            hung_up=hung_up,
            webhook=inference.webhook,
            webhook_events=("result",) if inference.webhook else (),
            caller_id=f"{inference.id}/{number}",
            group_id=inference.id,
            dialect=Dialect.RUNWARE,
            dialect_data=_dialect_data(inference, drawing, count),
            upload_url=inference.upload,
        )
        for number, count in enumerate(_calls(inference.count))
    ]


def _calls(count: int) -> list[int]:
    return [count] if count <= _MOST_A_CALL else [_MOST_A_CALL, count - _MOST_A_CALL]


def _dialect_data(inference: Inference, drawing: Drawing, count: int) -> dict[str, Any]:
    return {
        "taskUUID": inference.task_uuid,
        "count": count,
        "size": inference.size,
        "scales": drawing.scales,
        "outputType": inference.output_type,
        "outputFormat": inference.output_format,
        "outputQuality": inference.output_quality,
        "isAsync": inference.is_async,
        "ttl": inference.ttl,
        "includesCost": inference.includes_cost,
        "checksContent": inference.checks_content,
    }


def _acknowledgement(accepted: Accepted) -> Answer:
    # Without an imageUUID, by which clients would take it for the result.
    item: Item = {"taskType": TASK, "taskUUID": accepted.task_uuid}
    return Answer([item], predictions=[each.id for each in accepted.predictions])


async def _as_they_end(accepted: Accepted, caller: Caller, the: Parts) -> AsyncIterator[Answer]:
    """An answer for each of the predictions; none for those that end after the caller has gone."""
    seconds = the.settings.deadline_seconds + _GRACE
    waiting = {
        asyncio.ensure_future(the.predictions.ended(each.id, seconds))
        for each in accepted.predictions
    }
    gone = asyncio.ensure_future(caller.gone.wait())
    try:
        while waiting and not gone.done():
            await asyncio.wait({*waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            for each in [each for each in waiting if each.done()]:
                waiting.discard(each)
                if ended := each.result():
                    answer = await Results(the).of(ended, accepted.task_uuid)
                    yield answer.about([ended.id])
        if waiting:
            for prediction in accepted.predictions:
                the.predictions.answers.end(prediction.id, written=False)
    finally:
        for task in (*waiting, gone):
            task.cancel()
