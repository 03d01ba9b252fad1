"""Answers to what was accepted: pictures as JSON or as events, piece by piece, or the failure."""

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from fastapi import Request, Response

from api.data_uri import in_base64
from api.dialects.openai.parameters import Reply
from api.dialects.openai.problems import failed, failure_event
from api.dialects.openai.shapes import completed, envelope
from api.dialects.openai.written import Written
from api.dialects.outputs import Outputs
from api.dialects.waiting import ended_or_hung_up
from api.files.rows import StoredFile
from api.parts import Parts
from api.predictions.prediction import Prediction, State

log = logging.getLogger(__name__)

_COMMENT_EVERY = 10.0  # seconds; proxies cut lines that are silent for a minute or so
_COMMENT = b": the picture is on its way\n\n"


async def answer(prediction: Prediction, reply: Reply, request: Request, the: Parts) -> Response:
    """The answer; nothing that goes wrong from here on is a 5xx, which clients would send again."""
    replies = _Replies(reply, request, the)
    try:
        if reply.stream:
            return replies.written(prediction, replies.events(prediction), "text/event-stream")
        return await replies.at_the_end(prediction)
    except Exception:
        log.exception("The pictures cannot be shown.", extra={"prediction": prediction.id})
        the.predictions.answers.end(prediction.id, written=False)
        return failed(request, prediction)


class _Replies:
    """Writes what one caller is told."""

    def __init__(self, reply: Reply, request: Request, the: Parts) -> None:
        self._reply = reply
        self._request = request
        self._the = the
        self._outputs = Outputs(the)

    def written(
        self, prediction: Prediction, pieces: AsyncGenerator[bytes], media_type: str
    ) -> Response:
        def note(is_written: bool) -> None:
            self._the.predictions.answers.end(prediction.id, written=is_written)

        headers = {
            "x-request-id": prediction.id,
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # nginx would hold the comments back
        }
        return Written(pieces, note, headers, media_type)

    async def at_the_end(self, prediction: Prediction) -> Response:
        present, hung_up = prediction, False
        while not present.has_ended and not hung_up:
            present, hung_up = await self._waited(present)
        files = [] if hung_up else await self._drawn(present)
        if files:
            return self.written(present, self._json(present, files), "application/json")
        is_written = not hung_up and not await self._request.is_disconnected()
        self._the.predictions.answers.end(present.id, written=is_written)
        return failed(self._request, present)

    async def events(self, prediction: Prediction) -> AsyncGenerator[bytes]:
        present, hung_up = prediction, False
        yield _COMMENT
        while not present.has_ended:
            present, hung_up = await self._waited(present)
            if hung_up:
                return
            if not present.has_ended:
                yield _COMMENT
        files = await self._drawn(present)
        for number, file in enumerate(files, 1):
            event = completed(present, self._reply, is_last=number == len(files))
            yield f"event: {event['type']}\ndata: ".encode()
            async for piece in self._picture(event, present, file, is_whole=True):
                yield piece
            yield b"\n\n"
        if not files:
            yield f"event: error\ndata: {json.dumps(failure_event(present))}\n\n".encode()

    async def _waited(self, prediction: Prediction) -> tuple[Prediction, bool]:
        return await ended_or_hung_up(prediction, _COMMENT_EVERY, self._request, self._the)

    async def _drawn(self, ended: Prediction) -> list[StoredFile]:
        return list(await self._outputs.of(ended)) if ended.state is State.SUCCEEDED else []

    async def _json(self, ended: Prediction, files: list[StoredFile]) -> AsyncGenerator[bytes]:
        yield json.dumps(envelope(ended, self._reply)).encode()[:-1] + b', "data": ['
        for number, file in enumerate(files):
            yield b", " if number else b""
            async for piece in self._picture({}, ended, file, is_whole=self._reply.base64):
                yield piece
        yield b"]}"

    async def _picture(
        self, members: Mapping[str, Any], ended: Prediction, file: StoredFile, *, is_whole: bool
    ) -> AsyncIterator[bytes]:
        """An object of the members and the picture; a key without a value would mislead LiteLLM."""
        address = {"url": self._outputs.address(ended, file)} if self._reply.url else {}
        content = {"b64_json": ""} if is_whole else {}
        written = json.dumps({**members, **address, **content}).encode()
        if not is_whole:
            yield written
            return
        yield written.removesuffix(b'"}')
        async for piece in in_base64(self._the.files.read(file)):
            yield piece
        yield b'"}'
