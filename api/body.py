"""Request bodies: bounded in size, time and depth, and in what they take together."""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import Request

from api.errors import BadRequest, NotReady, TooLarge, WrongMediaType
from api.settings import Settings

_DEEPEST = 64
_MOST_VALUES = 200_000  # a body is large for its data: URIs, which are one value each
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Bodies:
    """What is being read, of all requests together."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.max_body_bytes
        self._most_together = settings.max_bodies_bytes
        self._seconds = settings.body_seconds
        self._together = 0

    @asynccontextmanager
    async def read(self, request: Request, most: int | None = None) -> AsyncIterator[bytes]:
        """The body; it counts as in flight until the block ends.

        Args:
            most: bytes, where it is less than the setting.

        Raises:
            WrongMediaType: it is compressed.
            TooLarge: it is larger than one body may be.
            NotReady: with it, all bodies together would be.
            BadRequest: it took too long.
        """
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise WrongMediaType("Send the body uncompressed, without Content-Encoding.")
        most = min(most or self._most, self._most)
        _check_announced(request, most)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in request.stream():
                    size += len(piece)
                    self._together += len(piece)
                    self._check(size, most)
                    pieces.append(piece)
        except TimeoutError:
            self._together -= size
            raise BadRequest(f"The body did not arrive within {self._seconds:g} s.") from None
        except BaseException:
            self._together -= size
            raise
        try:
            yield b"".join(pieces)
        finally:
            self._together -= size

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """So many bytes that came in another way count as in flight, until the block ends.

        Raises:
            NotReady: with them, all bodies together would be too large.
        """
        self._together += size
        try:
            self._check(0, self._most)
            yield
        finally:
            self._together -= size

    def _check(self, size: int, most: int) -> None:
        if size > most:
            raise _too_large(most)
        if self._together > self._most_together:
            raise NotReady("Too many large requests are on their way; try again in a minute.")


def _check_announced(request: Request, most: int) -> None:
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {most / 1e6:g}MB; upload files first, and send their addresses."
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object, its text mended where half a character was cut off.

    Raises:
        BadRequest: it is none.
    """
    value = _json(body)
    if not isinstance(value, dict):
        raise BadRequest("The body is not a JSON object.")
    return value


def json_list(body: bytes) -> list[Any]:
    """The same for a JSON array; an object alone stands for an array of it."""
    value = _json(body)
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise BadRequest("The body is not a JSON array.")
    return value


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    if len(body) > _MOST_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        # 60 MB of empty lists would take 1.7 GB, and the event loop for most of a minute.
        raise BadRequest(f"The body holds more than {_MOST_VALUES} values.")
    try:
        value = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    if isinstance(value, dict | list):
        _check_depth(value)
    has_halves = b"\\u" in body and _ESCAPED_SURROGATE.search(body)
    return _mended(value) if has_halves else value


def _no_number(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _too_deep() -> BadRequest:
    return BadRequest(f"The body is nested deeper than {_DEEPEST} levels.")


def _check_depth(value: dict[str, Any] | list[Any]) -> None:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _too_deep()


def _mended(value: Any) -> Any:  # noqa: ANN401 - JSON
    """JavaScript cuts strings between the halves of a character; UTF-8 has no word for that."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(name): _mended(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mended(each) for each in value]
    return value
