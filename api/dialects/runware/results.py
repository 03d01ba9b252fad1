"""Predictions as Runware's clients read them: one item a picture, finished, awaited or failed."""

from collections.abc import Sequence
from typing import Any

from api.dialects.outputs import Outputs
from api.dialects.runware.answer import Answer, Content, written
from api.dialects.runware.image_ids import image_uuid, seed
from api.dialects.runware.problems import Item, TaskError, error_item
from api.files.rows import StoredFile
from api.parts import Parts
from api.predictions.prediction import Prediction, State
from api.predictions.references import FileReference, reference

TASK = "imageInference"
_CODES = {  # by the predictor's names of errors
    "ModerationBlocked": "contentPolicyViolation",
    "RateLimited": "providerRateLimitExceeded",
    "QuotaExceeded": "providerError",
    "UpstreamDown": "providerError",
    "UpstreamTimedOut": "taskTimeout",
    "InvalidInput": "invalidInput",
    "UnsupportedByModel": "unsupportedParameter",
    "RequestRejected": "invalidInput",
}
_USUAL_CODE = "providerError"


class Results:
    """Shows predictions."""

    def __init__(self, the: Parts) -> None:
        self._files = the.files
        self._outputs = Outputs(the)
        self._retention = the.settings.retention_seconds

    async def of(
        self, prediction: Prediction, task_uuid: str | None = None, *, polled: bool = False
    ) -> Answer:
        """What there is of a prediction's pictures.

        Args:
            task_uuid: of the task that asks; absent: of the one that made it.
            polled: say of each picture how far it is.
        """
        task_uuid = task_uuid or str(_data(prediction)["taskUUID"])
        if prediction.removed_at is not None:
            error = TaskError(
                "resultExpired",
                f"The pictures have been removed; they are kept for {self._retention:g} s here.",
            )
            return self._failed(prediction, task_uuid, error)
        if not prediction.has_ended:
            return Answer(data=_processing(prediction, task_uuid) if polled else [])
        if prediction.state is not State.SUCCEEDED:
            return self._failed(prediction, task_uuid, _failure(prediction))
        return await self._succeeded(prediction, task_uuid, polled)

    async def webhook(self, prediction: Prediction, place: int | None) -> bytes:
        """The body of a webhook about the picture at `place`, or about a failure."""
        answer = await self.of(prediction)
        data = answer.data if place is None else answer.data[place : place + 1]
        return b"".join([piece async for piece in written(data, answer.errors, self._files)])

    async def _succeeded(self, prediction: Prediction, task_uuid: str, polled: bool) -> Answer:
        files = {file.id: file for file in await self._outputs.of(prediction)}
        outputs = prediction.output if isinstance(prediction.output, list) else []
        items, lost = [], 0
        for place in range(count(prediction)):
            found = reference(outputs[place]) if place < len(outputs) else None
            file = files.get(found.id) if isinstance(found, FileReference) else None
            if file:
                items.append(self._item(prediction, place, file, task_uuid, polled, len(outputs)))
            else:
                lost += 1
        error = TaskError("providerError", "The model drew fewer pictures than were asked for.")
        errors = [error_item(error, _named(task_uuid))] * lost
        return Answer(items, errors, status=200 if items else error.status)

    def _item(
        self,
        prediction: Prediction,
        place: int,
        file: StoredFile,
        task_uuid: str,
        polled: bool,
        among: int,
    ) -> Item:
        data = _data(prediction)
        id = image_uuid(prediction.id, place)
        item: Item = {**_named(task_uuid), "imageUUID": id, "seed": seed(id)}
        if polled:
            item["status"] = "success"
        if data["outputType"] == "URL":
            item["imageURL"] = self._address(prediction, file)
        else:
            is_uri = data["outputType"] == "dataURI"
            item["imageDataURI" if is_uri else "imageBase64Data"] = Content(file, is_uri)
        if data.get("checksContent"):
            item["NSFWContent"] = False  # the upstream refuses what is not
        dollars = (prediction.metrics or {}).get("cost_usd")
        if data.get("includesCost") and isinstance(dollars, int | float):
            item["cost"] = round(dollars / among, 6)
        return item

    def _address(self, prediction: Prediction, file: StoredFile) -> str:
        ended_at = prediction.completed_at or prediction.deadline
        ttl = _data(prediction).get("ttl") or self._retention
        return self._files.address(file, prediction.origin, ended_at + min(ttl, self._retention))

    def _failed(self, prediction: Prediction, task_uuid: str, error: TaskError) -> Answer:
        item = error_item(error, _named(task_uuid))
        return Answer(errors=[item] * count(prediction), status=error.status)


def count(prediction: Prediction) -> int:
    """How many pictures the prediction was to draw."""
    return int(_data(prediction)["count"])


def task_uuid_of(predictions: Sequence[Prediction]) -> str:
    """The taskUUID of the task that made them."""
    return str(_data(predictions[0])["taskUUID"])


def _data(prediction: Prediction) -> dict[str, Any]:
    return prediction.dialect_data or {}


def _named(task_uuid: str) -> Item:
    return {"taskType": TASK, "taskUUID": task_uuid}


def _processing(prediction: Prediction, task_uuid: str) -> list[Item]:
    return [
        {
            **_named(task_uuid),
            "imageUUID": image_uuid(prediction.id, place),
            "status": "processing",
        }
        for place in range(count(prediction))
    ]


def _failure(prediction: Prediction) -> TaskError:
    if prediction.state is State.CANCELED:
        if (prediction.completed_at or 0.0) >= prediction.deadline:
            reason = prediction.error or "The task was not finished before its deadline."
            return TaskError("taskTimeout", reason)
        return TaskError("taskCancelled", "The task was canceled.")
    kind = (prediction.metrics or {}).get("error_class")
    code = _CODES.get(str(kind), _USUAL_CODE)
    if kind is None and prediction.sent_at is None:
        code = "downloadFailed"  # what ends before the model is asked is a picture's address
    return TaskError(code, prediction.error or "The task failed.")
