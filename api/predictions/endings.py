"""From Cog's word to a prediction's end: outputs stored, what was not billed queued again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from api.data_uri import embedded
from api.files.files import Files
from api.files.rows import OUTPUT, StoredFile
from api.ids import now
from api.predictions.left_behind import LeftBehind, look, place_of
from api.predictions.outcome import NotBilled, Unclear, lost, outcome_of
from api.predictions.prediction import End, Prediction, State
from api.predictions.references import FileReference
from api.predictions.store import Store

log = logging.getLogger(__name__)

_PIECE = 1 << 20  # bytes

OnChange = Callable[[Prediction], None]
Finish = Callable[[Prediction, End], Awaitable[End]]
"""Makes a success into what its caller's dialect promises; may be called twice for one."""


class Endings:
    """Ends predictions that were sent.

    Args:
        worker_url: what begins the address of an output that Cog has handed over.
        output_directories: where files lie that Cog could not hand over, by the worker.
        finish: asked about each success before it is stored.
        on_change: told of each prediction that has ended or is queued again.
    """

    def __init__(
        self,
        store: Store,
        files: Files,
        *,
        worker_url: str,
        output_directories: Mapping[str, Path | None],
        finish: Finish,
        on_change: OnChange,
    ) -> None:
        self._store = store
        self._files = files
        self._handed_over = f"{worker_url}/outputs/"
        self._output_directories = output_directories
        self._finish_for_dialect = finish
        self._on_change = on_change

    async def end(self, sent: Prediction, word: Mapping[str, Any]) -> None:
        """Do what Cog's last word asks for."""
        outcome = outcome_of(word, sent)
        if isinstance(outcome, NotBilled):
            not_before = now() + outcome.wait
            if outcome.is_rate_limit:
                await self._store.hold(sent.account, not_before)
            if not_before < sent.deadline:
                again = await self._store.queue_again(sent, not_before)
                if again:
                    self._on_change(again)
                    return
            await self._finish(sent, outcome.end)
        elif isinstance(outcome, Unclear):
            left = await self._left_behind(sent)
            await self._finish(sent, await self._from_left_behind(sent, left) or outcome.end)
        elif outcome.state is State.SUCCEEDED:
            await self._finish(sent, await self._succeeded(sent, outcome))
        else:
            await self._finish(sent, outcome)

    async def end_lost(self, sent: Prediction, reason: str, *, now_or_never: bool) -> bool:
        """End one of which no more will be heard, by what it has left behind.

        Returns False where its files may still come, unless it is `now_or_never`.
        """
        left = await self._left_behind(sent)
        if not left.is_complete and not now_or_never:
            return False
        end = await self._from_left_behind(sent, left) or lost(sent, reason)
        await self._finish(sent, end)
        return True

    async def _finish(self, sent: Prediction, end: End) -> None:
        if end.state is State.SUCCEEDED:
            try:
                end = await self._finish_for_dialect(sent, end)
            except Exception:  # what is paid for is handed over as it is
                log.exception(
                    "An output could not be finished for its dialect, and stays as it came.",
                    extra={"prediction": sent.id},
                )
        dollars = (end.metrics or {}).get("cost_usd")
        known = float(dollars) if isinstance(dollars, int | float) else None
        ended = await self._store.end_sent(sent, end, known)
        if ended:
            log.info(
                "Ended: %s.", ended.state, extra={"prediction": ended.id, "tenant": ended.tenant_id}
            )
            self._on_change(ended)

    async def _succeeded(self, sent: Prediction, end: End) -> End:
        """The end with references in place of Cog's addresses, in the model's order."""
        is_list = isinstance(end.output, list)
        values = end.output if is_list else [end.output]
        files = await self._files.of_prediction(sent.id) if len(values) > 1 else []
        names = {file.id: file.name for file in files}
        placed = []
        for number, value in enumerate(values):
            file_id = await self._file_of(sent, value, number)
            shown = FileReference(file_id).as_json() if file_id else value
            placed.append((place_of(names.get(file_id or "", "")), number, shown))
        # Uploads come in any order.
        output = [shown for _, _, shown in sorted(placed, key=lambda each: each[:2])]
        return End(end.state, output if is_list else output[0], None, end.logs, end.metrics)

    async def _file_of(self, sent: Prediction, value: object, number: int) -> str | None:
        """The file that Cog handed over; where it has no upload address, that is within text."""
        if not isinstance(value, str):
            return None
        if value.startswith(self._handed_over):
            return value.rpartition("/")[2]
        inside = await embedded(value)
        if inside is None:
            return None
        name = f"output-{number}{inside.suffix}"
        file = await self._save(sent, inside.content, name, inside.media_type)
        return file.id

    async def _left_behind(self, sent: Prediction) -> LeftBehind:
        return await look(self._output_directories.get(str(sent.owner)), sent.id)

    async def _from_left_behind(self, sent: Prediction, left: LeftBehind) -> End | None:
        if not left.files:
            return None
        stored = {file.name: file.id for file in await self._files.of_prediction(sent.id)}
        output = []
        for path in left.files:
            file_id = stored.get(path.name)
            if file_id is None:
                file_id = (await self._save(sent, _content(path), path.name)).id
            output.append(FileReference(file_id).as_json())
        note = f"{len(output)} finished files were found after Cog had lost the prediction.\n"
        logs = f"{sent.logs}{note}"
        return End(State.SUCCEEDED, output, None, logs, {"output_count": len(output)})

    async def _save(
        self,
        sent: Prediction,
        content: bytes | AsyncIterator[bytes],
        name: str,
        content_type: str | None = None,
    ) -> StoredFile:
        return await self._files.save(
            content,
            tenant_id=sent.tenant_id,
            kind=OUTPUT,
            name=name,
            prediction_id=sent.id,
            content_type=content_type,
        )


async def _content(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
