"""What a prediction has drawn: its files, and addresses for whoever is given them."""

from collections.abc import Sequence

from api.files.rows import StoredFile
from api.parts import Parts
from api.predictions.prediction import Prediction
from api.predictions.references import FileReference, references


class Outputs:
    """The files of predictions."""

    def __init__(self, the: Parts) -> None:
        self._files = the.files
        self._retention = the.settings.retention_seconds

    async def of(self, prediction: Prediction) -> Sequence[StoredFile]:
        """Its outputs in the model's order; none once its data is removed."""
        ids = [
            found.id
            for _, found in references(prediction.output)
            if isinstance(found, FileReference)
        ]
        files = await self._files.find_all(ids) if ids else {}
        return [files[id] for id in ids if id in files]

    def address(self, prediction: Prediction, file: StoredFile) -> str:
        """Good until the prediction's data is removed, with a token or without."""
        return self._files.address(file, prediction.origin, self._expires_at(prediction))

    async def presigned(self, prediction: Prediction, file: StoredFile) -> str | None:
        """The same from the store itself, where callers reach it."""
        return await self._files.presigned(file, self._expires_at(prediction))

    def _expires_at(self, prediction: Prediction) -> float:
        return (prediction.completed_at or prediction.deadline) + self._retention
