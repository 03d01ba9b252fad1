"""Splits an answer while it arrives: image data into files, the rest of the JSON into memory."""

import re
from collections.abc import AsyncIterable
from pathlib import Path

from gpt_image.base64_file import Base64File
from gpt_image.errors import BILLED_NOTE, AnswerNotUsable
from gpt_image.threads import in_thread

# A quotation mark inside a JSON string is escaped, so this matches keys of the answer and nothing
# that a text in it can hold. Some gateways put a data URI into `url`.
_DATA_STARTS = re.compile(rb'(?<!\\)"(?:b64_json"\s*:\s*"|url"\s*:\s*"(?=data:))')
_UNFINISHED_ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{0,3})?$")
_HELD_BACK = 128  # bytes, so that no pattern above is cut in two
_STEP = 1 << 20  # bytes; what a prediction holds of its answer at any time
_TEXT_LIMIT = 8 << 20  # bytes; more is no answer of the Images API


class AnswerStream:
    """`text` is the JSON, each image's data in it replaced by the image's index in `files`.

    None stands there for data that broke off or is no base64.
    """

    def __init__(self, directory: Path) -> None:
        self.text = bytearray()
        self.files: list[Path | None] = []
        self._directory = directory
        self._unread = b""
        self._image: Base64File | None = None

    async def read(self, chunks: AsyncIterable[bytes]) -> None:
        """Take the body in; if `chunks` raises, what came until then stays usable."""
        step: list[bytes] = []
        try:
            async for chunk in chunks:
                step.append(chunk)
                if sum(map(len, step)) >= _STEP:
                    await in_thread(self._feed, step)
                    step.clear()
        finally:
            await in_thread(self._feed, step, last=True)

    def _feed(self, step: list[bytes], last: bool = False) -> None:
        # One after the other, because joining them takes as long as decoding them.
        pieces = [(chunk, False) for chunk in step]
        if last:
            pieces.append((b"", True))
        for chunk, ends in pieces:
            self._unread += chunk
            while self._take_image(self._image, ends) if self._image else self._take_text(ends):
                pass

    def _take_text(self, last: bool) -> bool:
        start = _DATA_STARTS.search(self._unread)
        end = start.end() if start else max(0, len(self._unread) - (0 if last else _HELD_BACK))
        self.text += self._unread[:end]
        self._unread = self._unread[end:]
        if start:
            self.text += b"%d" % len(self.files)
            self._image = Base64File(self._directory / f"{len(self.files)}.part")
        elif len(self.text) > _TEXT_LIMIT:
            raise AnswerNotUsable(f"The upstream's answer is far too long; {BILLED_NOTE}.")
        return start is not None

    def _take_image(self, image: Base64File, last: bool) -> bool:
        end = self._unread.find(b'"')
        if end < 0 and not last and len(self._unread) < _HELD_BACK:
            return False
        data = self._unread if end < 0 else self._unread[:end]
        if end < 0 and (unfinished := _UNFINISHED_ESCAPE.search(data[-6:])):
            data = data[: -len(unfinished[0])]
        self._unread = self._unread[len(data) :]
        image.write(data, last=end >= 0)
        if end >= 0 or last:
            self.files.append(image.close(complete=end >= 0))
            self._image = None
        return end >= 0
