"""Tasks about an earlier task: `getResponse` and `getTaskDetails`."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.dialects.runware.answer import Answer
from api.dialects.runware.caller import Caller
from api.dialects.runware.members import Members
from api.dialects.runware.problems import Item, TaskError
from api.dialects.runware.request import AIR
from api.dialects.runware.results import TASK, Results, count, task_uuid_of
from api.ids import now
from api.parts import Parts
from api.predictions.prediction import Prediction
from api.predictions.references import FileReference, Reference, references, replaced


async def get_response(task: Mapping[str, Any], caller: Caller, the: Parts) -> Answer:
    """Answer `getResponse`: every picture of the task, finished or not."""
    id, predictions = await _found(task, caller, the)
    # This caller has not lost the task, so the same words sent again mean another one.
    found = [each.id for each in predictions if each.has_ended]
    return (await _results(predictions, id, the)).about(found)


async def describe_task(task: Mapping[str, Any], caller: Caller, the: Parts) -> Answer:
    """Answer `getTaskDetails`: what was asked for, and what there is of it."""
    id, predictions = await _found(task, caller, the)
    results = await _results(predictions, id, the)
    response: Item = {"data": list(results.data)} if results.data else {}
    if results.errors:
        response["errors"] = list(results.errors)
    details: Item = {
        "taskType": "getTaskDetails",
        "taskUUID": id,
        "request": [await _request(predictions, the)],
        "response": response,
    }
    return Answer([details])


async def _found(
    task: Mapping[str, Any], caller: Caller, the: Parts
) -> tuple[str, list[Prediction]]:
    members = Members(task)
    predictions = await the.predictions.group(caller.tenant, members.uuid("taskUUID"))
    if not predictions:
        raise TaskError(
            "taskFailedOrNotFound", "There is no task with this taskUUID.", "taskUUID", status=404
        )
    return str(task["taskUUID"]), predictions


async def _results(predictions: Sequence[Prediction], id: str, the: Parts) -> Answer:
    data: list[Item] = []
    errors: list[Item] = []
    status = 200
    for prediction in predictions:
        answer = await Results(the).of(prediction, id, polled=True)
        data += answer.data
        errors += answer.errors
        status = max(status, answer.status)
    return Answer(data, errors, status)


async def _request(predictions: Sequence[Prediction], the: Parts) -> Item:
    """The task as it was sent, without addresses that could hold a secret."""
    first = predictions[0]
    data, input = first.dialect_data or {}, first.input
    item: Item = {"taskType": TASK, "taskUUID": task_uuid_of(predictions), "model": AIR}
    item["numberResults"] = sum(map(count, predictions))
    item["deliveryMethod"] = "async" if data["isAsync"] else "sync"
    item |= {name: data[name] for name in ("outputType", "outputFormat", "outputQuality")}
    if data["size"]:
        item["width"], item["height"] = data["size"]
    if data["ttl"]:
        item["ttl"] = data["ttl"]
    item["includeCost"] = data["includesCost"]
    if "prompt" in input:  # until it is removed
        item["positivePrompt"] = input["prompt"]
        openai = {name: input.get(name) for name in ("quality", "moderation")}
        item["providerSettings"] = {"openai": openai}
    if pictures := input.get("input_images"):
        item["inputs"] = {"referenceImages": await _shown(pictures, first, the)}
    return item


async def _shown(pictures: list[Any], prediction: Prediction, the: Parts) -> list[Any]:
    ids = [found.id for _, found in references(pictures) if isinstance(found, FileReference)]
    files = await the.files.find_all(ids) if ids else {}

    def shown(found: Reference) -> str | None:
        if not isinstance(found, FileReference):
            return found.url
        file = files.get(found.id)
        until = now() + the.settings.retention_seconds
        return the.files.address(file, prediction.origin, until) if file else None

    return [replaced(each, shown) for each in pictures]
