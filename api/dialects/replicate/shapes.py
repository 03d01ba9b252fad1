"""Predictions as Replicate's clients read them."""

import base64
from collections.abc import Mapping
from typing import Any

from api.dialects.outputs import Outputs
from api.dialects.replicate.times import iso
from api.files.rows import OUTPUT, StoredFile
from api.javascript_json import stringify
from api.parts import Parts
from api.predictions.prediction import Prediction, State
from api.predictions.references import FileReference, Reference, references, replaced

_STATUS = {
    State.QUEUED: "starting",
    State.TAKEN: "starting",
    State.SENT: "starting",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}


class Shapes:
    """Shows predictions.

    FileOutput objects come only from https: and data: addresses, so a caller who came over plain
    http gets data: URIs, up to a size.
    """

    def __init__(self, the: Parts) -> None:
        self._most_data = the.settings.max_data_uri_bytes
        self._predictions = the.predictions
        self._files = the.files
        self._outputs = Outputs(the)

    async def prediction(self, prediction: Prediction, *, in_list: bool = False) -> dict[str, Any]:
        """The prediction; in lists every file is an address."""
        content = [prediction.input, prediction.output]
        ids = {found.id for _, found in references(content) if isinstance(found, FileReference)}
        files = await self._files.find_all(sorted(ids)) if ids else {}
        embedded = {} if in_list else await self._embedded(prediction, files)
        presigned = await self._presigned(prediction, files)

        def shown(found: Reference) -> str | None:
            if not isinstance(found, FileReference):
                return found.url
            file = files.get(found.id)
            from_the_store = presigned.get(found.id)
            address = self._outputs.address(prediction, file) if file else None
            return embedded.get(found.id) or from_the_store or address

        body = bare(prediction)
        body["input"] = replaced(prediction.input, shown)
        body["output"] = replaced(prediction.output, shown)
        body["logs"] = self._predictions.logs_of(prediction)
        return body

    async def webhook(self, prediction: Prediction) -> bytes:
        """The body of a webhook."""
        return stringify(await self.prediction(prediction)).encode()

    async def _presigned(
        self, prediction: Prediction, files: Mapping[str, StoredFile]
    ) -> dict[str, str | None]:
        outputs = [file for file in files.values() if file.kind == OUTPUT]
        return {file.id: await self._outputs.presigned(prediction, file) for file in outputs}

    async def _embedded(
        self, prediction: Prediction, files: Mapping[str, StoredFile]
    ) -> dict[str, str]:
        outputs = [
            files[found.id]
            for _, found in references(prediction.output)
            if isinstance(found, FileReference) and found.id in files
        ]
        is_https = prediction.origin.startswith("https:")
        if is_https or sum(file.size for file in outputs) > self._most_data:
            return {}
        return {file.id: await self._data_uri(file) for file in outputs}

    async def _data_uri(self, file: StoredFile) -> str:
        content = b"".join([piece async for piece in self._files.read(file)])
        return f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"


def bare(prediction: Prediction) -> dict[str, Any]:
    """What can be said without looking anywhere: no input, no output."""
    here = f"{prediction.origin}/v1/predictions/{prediction.id}"
    body: dict[str, Any] = {
        "id": prediction.id,
        "model": prediction.model,
        "version": prediction.version,
        "input": {},
        "logs": "",
        "output": None,
        "data_removed": prediction.removed_at is not None,
        "error": prediction.error,
        "source": "api",
        "status": "processing" if prediction.is_running else _STATUS[prediction.state],
        "created_at": iso(prediction.created_at),
        "urls": {"get": here, "cancel": f"{here}/cancel", "web": here},
    }
    if prediction.deployment:
        body["deployment"] = prediction.deployment
    if prediction.cancel_after:
        body["deadline"] = iso(prediction.deadline)
    if prediction.started_at is not None:
        body["started_at"] = iso(prediction.started_at)
    if prediction.completed_at is not None:
        body["completed_at"] = iso(prediction.completed_at)
        body["metrics"] = _metrics(prediction, prediction.completed_at)
    return body


def _metrics(prediction: Prediction, completed_at: float) -> dict[str, float]:
    # The Go client takes no other type than numbers.
    numbers = {
        name: value
        for name, value in (prediction.metrics or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return numbers | {"total_time": round(completed_at - prediction.created_at, 6)}
