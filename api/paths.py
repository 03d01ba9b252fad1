"""Paths as clients write them."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_VERSIONS = re.compile(r"^(/v1)+(?=/|$)")


class MendedPaths:
    """Takes /v1/v1/ for /v1/, and a slash at the end for none.

    replicate 2 wants a base URL with /v1 and 1.0.7 one without, from the same variable.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] in {"http", "websocket"}:
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {
                **scope,
                "path": _mended(scope["path"]),
                "raw_path": _mended(raw.decode("latin-1")).encode("latin-1"),
            }
        await self._app(scope, receive, send)


def _mended(path: str) -> str:
    return _VERSIONS.sub("/v1", path).rstrip("/") or "/"
