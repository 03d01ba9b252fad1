"""A finished prediction's pictures: scaled to what was asked for, and named by their imageUUIDs."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from api.dialects.runware.image_ids import image_uuid
from api.dialects.runware.request import FORMATS
from api.files.files import Files
from api.files.rows import OUTPUT, StoredFile
from api.predictions.prediction import End, Prediction
from api.predictions.references import FileReference, reference
from api.scaling import NotScaled, Scaling

log = logging.getLogger(__name__)

_PIECE = 1 << 20  # bytes


class Finish:
    """Finishes predictions; the same one twice does nothing the second time.

    Args:
        scratch: where pictures lie while they are scaled.
    """

    def __init__(self, files: Files, scratch: Path) -> None:
        self._files = files
        self._scratch = scratch
        self._scaling = Scaling()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, prediction: Prediction, end: End) -> End:
        """The end with the pictures as they are to be shown."""
        if not isinstance(end.output, list):
            return end
        # Cog repeats its last word while the first one is still being worked on.
        async with self._turns.setdefault(prediction.id, asyncio.Lock()):
            stored = {file.id: file for file in await self._files.of_prediction(prediction.id)}
            known = {file.caller_id: file for file in stored.values() if file.caller_id}
            output = []
            for place, shown in enumerate(end.output):
                found = reference(shown)
                file = stored.get(found.id) if isinstance(found, FileReference) else None
                if file is None:
                    output.append(shown)
                    continue
                id = image_uuid(prediction.id, place)
                finished = known.get(id) or await self._finished(prediction, file, id)
                output.append(FileReference(finished.id).as_json())
        return replace(end, output=output)

    async def _finished(self, prediction: Prediction, file: StoredFile, id: str) -> StoredFile:
        data = prediction.dialect_data or {}
        if data.get("scales"):
            try:
                return await self._scaled(prediction, file, id, data)
            except NotScaled as failure:
                # It is paid for, so its caller gets it as it was drawn.
                log.warning(
                    "A picture was not scaled. %s", failure, extra={"prediction": prediction.id}
                )
        await self._files.name_by_caller(file, id)
        return file

    async def _scaled(
        self, prediction: Prediction, file: StoredFile, id: str, data: dict[str, Any]
    ) -> StoredFile:
        folder = self._scratch / f"scaling-{file.id}"
        kind = FORMATS[data["outputFormat"]]
        width, height = data["size"]
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            await _write(self._files.read(file), folder / "drawn")
            await self._scaling.scale(
                folder / "drawn",
                folder / "scaled",
                (width, height),
                kind.upper(),
                data["outputQuality"],
            )
            return await self._files.save(
                _content(folder / "scaled"),
                tenant_id=prediction.tenant_id,
                kind=OUTPUT,
                name=f"{id}.{kind}",
                prediction_id=prediction.id,
                caller_id=id,
            )
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _write(pieces: AsyncIterator[bytes], path: Path) -> None:
    with await asyncio.to_thread(path.open, "wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)


async def _content(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
