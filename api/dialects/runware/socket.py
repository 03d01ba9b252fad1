"""Tasks in the frames of a WebSocket, each answered as soon as it can be."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from api.body import json_list
from api.dialects.runware.access import (
    BEFORE_AUTHENTICATION,
    checked_tasks,
    key_of,
    tenant_of,
)
from api.dialects.runware.answer import Answer, refusal, written
from api.dialects.runware.caller import Caller
from api.dialects.runware.problems import TaskError, invalid_key, task_error
from api.dialects.runware.tasks import answers
from api.errors import ApiError
from api.origin import origin
from api.parts import Parts
from api.websockets import BOUNDS

log = logging.getLogger(__name__)
router = APIRouter()

_POLICY, _TOO_BIG = 1008, 1009  # RFC 6455, 7.4.1
_JAVASCRIPT_GIVES_UP = 55.0
"""@runware/sdk-js sends a task again after 60 s, as a new one, though the first still runs."""


@router.websocket("/v1")
@router.websocket("/")
async def connect(websocket: WebSocket) -> None:
    """Serve one connection until it ends."""
    the: Parts = websocket.app.state.parts
    try:
        root = origin(websocket, the.settings)
    except ApiError:
        await websocket.close(_POLICY)
        return
    await websocket.accept()
    await _Connection(websocket, the, root).serve()


class _Connection:
    def __init__(self, websocket: WebSocket, the: Parts, origin: str) -> None:
        self._websocket = websocket
        self._the = the
        self._origin = origin
        self._gone = asyncio.Event()
        self._key = ""
        self._patience = _JAVASCRIPT_GIVES_UP if websocket.query_params.get("sdk") == "js" else None

    async def serve(self) -> None:
        """Until the client goes; what it has asked for goes on without it."""
        async with asyncio.TaskGroup() as frames:
            try:
                first = await self._admitted()
                if first:
                    frames.create_task(self._answer(first))
                    while True:
                        frames.create_task(self._answer(await self._frame()))
            except WebSocketDisconnect:
                pass
            finally:
                self._gone.set()

    async def _admitted(self) -> list[Any] | None:
        """The tasks of the frame that had a good key; None where none came in time."""
        try:
            async with asyncio.timeout(self._the.settings.body_seconds):
                while True:
                    tasks = await self._first_frame()
                    if tasks:
                        return tasks
        except TimeoutError:
            await self._websocket.close(_POLICY)
            return None

    async def _first_frame(self) -> list[Any] | None:
        raw = await self._frame()
        if len(raw) > BEFORE_AUTHENTICATION:
            await self._websocket.close(_TOO_BIG)
            raise WebSocketDisconnect(_TOO_BIG)
        task: Any = None
        try:
            tasks = checked_tasks(json_list(raw))
            task = tasks[0]
            await tenant_of(task, self._the)
        except (ApiError, TaskError) as error:
            await self._send(refusal(task_error(error), task))
            return None
        self._key = key_of(task)
        if bounds := self._websocket.scope.get("extensions", {}).get(BOUNDS):
            bounds.admit()
        return list(tasks)

    async def _frame(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        raw = message.get("bytes")
        return raw if raw is not None else str(message.get("text", "")).encode()

    async def _answer(self, frame: bytes | list[Any]) -> None:
        """Answer a frame's tasks side by side."""
        try:
            tenant = await self._the.tenants.by_token(self._key)
            if tenant is None:  # revoked meanwhile
                raise invalid_key()
            caller = Caller(tenant, self._origin, True, self._gone, self._patience)
            with self._the.bodies.holding(len(frame) if isinstance(frame, bytes) else 0):
                tasks = checked_tasks(json_list(frame) if isinstance(frame, bytes) else frame)
                del frame
                given = [answers(task, caller, self._the) for task in tasks]
                del tasks
                firsts = await asyncio.gather(*map(anext, given))
        except Exception as error:  # noqa: BLE001 - the other frames' answers are still to come
            await self._send(refusal(task_error(error)))
            return
        await asyncio.gather(*(self._pass_on(*each) for each in zip(firsts, given, strict=True)))

    async def _pass_on(self, first: Answer, rest: AsyncIterator[Answer]) -> None:
        await self._send(first)
        async for answer in rest:
            await self._send(answer)

    async def _send(self, answer: Answer) -> None:
        """One frame for each item, held in memory: runware-sdk reads no data beside errors."""
        is_written = True
        for item in answer.data:
            is_written = await self._send_frame([item], []) and is_written
        if answer.errors:
            is_written = await self._send_frame([], list(answer.errors)) and is_written
        for id in answer.predictions:
            self._the.predictions.answers.end(id, written=is_written)

    async def _send_frame(self, data: list[Any], errors: list[Any]) -> bool:
        """Whether the client was still there."""
        try:
            pieces = [piece async for piece in written(data, errors, self._the.files)]
            await self._websocket.send_text(b"".join(pieces).decode())
        except (WebSocketDisconnect, RuntimeError):  # Starlette's word for a closed one
            return False
        except FileNotFoundError:
            log.info("A picture was removed before it was sent.")
        return True
