"""Every request as it came, for tests to look at. Keys are kept: run it on loopback only."""

import hashlib
import json
from collections import deque

from sandbox.body import Body
from sandbox.exchange import Exchange
from sandbox.job import Part

_KEPT = 10_000


class Recorder:
    """Keeps the last 10,000 requests while recording is on."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._requests: deque[dict[str, object]] = deque(maxlen=_KEPT)

    def clear(self) -> None:
        """Forget all requests."""
        self._requests.clear()

    def body(self) -> dict[str, object]:
        """Return the requests, oldest first."""
        return {"recording": self._on, "requests": list(self._requests)}

    def add(self, exchange: Exchange, data: bytes, body: Body | None) -> None:
        """Keep one request; a body that could not be parsed is kept as its length."""
        if not self._on:
            return
        self._requests.append(
            {
                "method": exchange.request.method,
                "path": exchange.request.url.path,
                "headers": exchange.connection.raw_headers,
                "length": len(data),
                "json": None if body is None or body.form else json.loads(data),
                "parts": [_part(part) for part in body.parts] if body and body.form else None,
            }
        )


def _part(part: Part) -> dict[str, object]:
    return {
        "name": part.name,
        "filename": part.filename,
        "content_type": part.content_type,
        "size": len(part.data),
        "sha256": hashlib.sha256(part.data).hexdigest(),
        "text": part.data.decode("utf-8", "replace") if part.filename is None else None,
    }
