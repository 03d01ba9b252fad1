"""Which dialect a request speaks: told here and nowhere else, by its path and its headers.

| asked for | speaks |
| --- | --- |
| a WebSocket, wherever | Runware's |
| `POST /v1`, `POST /` | Runware's |
| `/v1/predictions`, `/v1/predictions/{id}`: `X-API-Key`, no `Authorization` | core.today's |
| `/images/...` and `/model/...`, also after `/v1`; `/models`, `/api/v1/models` | OpenAI's |
| `/v1/models/{id}` where the id is one segment, its slash written as `%2F` | OpenAI's |
| `/v1/models` | nothing tells: Replicate's, with the members of OpenAI's beside its own |
| everything else | Replicate's |

A dialect is a folder beside this module. To add one:

1. Give it `create_app() -> FastAPI`: its routes, and its handlers of `ApiError` and of unknown
   paths. Routes get at the parts as everywhere (`the: The`); for what all dialects do alike they
   have `callers.py`, `accepting.py`, `waiting.py` and `outputs.py`.
2. Name it in `Dialect`, and say in `spoken` what it owns.
3. Give its application to `ByDialect` in `api/app.py`.
4. Add each path that another dialect owns too to `tests/api/test_dialects.py`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class Dialect(StrEnum):
    """Whose API a request is written for."""

    REPLICATE = "replicate"
    OPENAI = "openai"
    RUNWARE = "runware"
    CORETODAY = "coretoday"


_RUNWARES = {"/", "/v1"}
_SHARED_WITH_CORETODAY = re.compile(r"/v1/predictions(/[^/]+)?")
_OPENAIS = re.compile(r"(/v1)?/images/.*|(/api/v1)?/models|(/v1)?/model/.+|/v1/models/[^/]+")
_ONE_MODEL = re.compile(rb"/v1/models/[^/]+")


def spoken(scope: Scope) -> Dialect:
    """The dialect of a request, by the ASGI scope with which it begins."""
    path = scope["path"]
    if scope["type"] == "websocket" or (path in _RUNWARES and scope["method"] == "POST"):
        return Dialect.RUNWARE
    headers = Headers(scope=scope)
    has_key_alone = "x-api-key" in headers and "authorization" not in headers
    if has_key_alone and _SHARED_WITH_CORETODAY.fullmatch(path):
        return Dialect.CORETODAY
    if _OPENAIS.fullmatch(path) or _ONE_MODEL.fullmatch(scope.get("raw_path") or b""):
        return Dialect.OPENAI
    return Dialect.REPLICATE


class ByDialect:
    """Hands each request to the application of its dialect; without one, to `app`."""

    def __init__(self, app: ASGIApp, applications: Mapping[Dialect, FastAPI]) -> None:
        self._app = app
        self._applications = applications

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        application = self._applications.get(spoken(scope))
        if application is None:
            await self._app(scope, receive, send)
            return
        application.state = scope["app"].state  # its routes find the parts there
        await application(scope, receive, send)
