"""A multipart form part by part, of which no more than a piece is in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from api.errors import BadRequest, TooLarge, WrongMediaType

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FIELD_BYTES = 64 << 10  # of a part that is no file; our choice, Replicate names none


@asynccontextmanager
async def form_of(request: Request, seconds: float) -> AsyncIterator["Form"]:
    """The form of a request, to be read whole within the block and so many seconds.

    Raises:
        WrongMediaType: the body is no multipart form, or compressed.
        BadRequest: it took too long.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise WrongMediaType("Send the form uncompressed, without Content-Encoding.")
    try:
        async with asyncio.timeout(seconds):
            yield Form(request.headers.get("Content-Type", ""), request.stream())
    except TimeoutError:
        raise BadRequest(f"The form did not arrive within {seconds:g} s.") from None


class Form:
    """The parts of a body.

    Raises:
        WrongMediaType: the body is no multipart form.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise WrongMediaType("Send the file in a form, as multipart/form-data.")
        self._body = body
        self._events = _Events()
        try:
            self._parser = MultipartParser(options[b"boundary"], self._events.callbacks())
        except FormParserError:
            raise WrongMediaType("The form's boundary is longer than a boundary may be.") from None

    async def parts(self) -> AsyncIterator["Part"]:
        """Each part is to be read before the next; what is left of it is passed over.

        Raises:
            BadRequest: the form is broken, or ends before its last boundary.
        """
        while not isinstance(event := await self.next_event(), _EndOfForm):
            if isinstance(event, dict):
                yield Part(event, self)

    async def next_event(self) -> "_Event":
        """What comes next in the body."""
        while not self._events.queue:
            try:
                self._parser.write(await anext(self._body))
            except (StopAsyncIteration, ClientDisconnect):
                raise BadRequest("The form ends before its last boundary.") from None
            except FormParserError:
                raise BadRequest("The form is not well-formed multipart/form-data.") from None
        return self._events.queue.popleft()


class Part:
    """One part of a form: its names, and its bytes once."""

    def __init__(self, headers: dict[bytes, bytes], form: Form) -> None:
        self._form = form
        _, options = parse_options_header(headers.get(b"content-disposition", b""))
        self.name = options.get(b"name", b"").decode(errors="replace")
        self.filename = options.get(b"filename", b"").decode(errors="replace")
        self.content_type = headers.get(b"content-type", b"").decode("latin-1")

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes as they come.

        Raises:
            BadRequest: the form is broken, or ends within this part.
        """
        while isinstance(piece := await self._form.next_event(), bytes):
            yield piece

    async def text(self, most: int = _FIELD_BYTES) -> str:
        """All of a part of at most so many bytes.

        Raises:
            TooLarge: it has more.
            BadRequest: it is no UTF-8, or the form is broken.
        """
        content = bytearray()
        async for piece in self.pieces():
            content += piece
            if len(content) > most:
                raise TooLarge(f"A part of the form that is no file has over {most} bytes.")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise BadRequest("A part of the form that is no file is not UTF-8.") from None


class _EndOfPart:
    pass


class _EndOfForm:
    pass


_Event = dict[bytes, bytes] | bytes | _EndOfPart | _EndOfForm
"""A part's headers, then pieces of it, then its end."""


class _Events:
    """What the parser finds, in the order of the body."""

    def __init__(self) -> None:
        self.queue: deque[_Event] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": lambda data, start, end: self.queue.append(data[start:end]),
            "on_part_end": lambda: self.queue.append(_EndOfPart()),
            "on_end": lambda: self.queue.append(_EndOfForm()),
        }

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        self.queue.append(self._headers)
        self._headers = {}
