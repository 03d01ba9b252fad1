"""Splits an answer while it arrives: image data into files, the rest of the JSON into memory."""

import re
from collections.abc import AsyncIterable, Iterable
from pathlib import Path

from gpt_image.threads import in_thread
from gpt_image.upstream.base64_file import Base64File

# A quotation mark inside a JSON string is escaped, so this matches keys of the answer and nothing
# that a text in it can hold. Some gateways put a data URI into `url`.
_DATA_STARTS = re.compile(rb'(?<!\\)"(?:b64_json"\s*:\s*"|url"\s*:\s*"(?=data:))')
_UNFINISHED_ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{0,3})?$")
_HELD_BACK = 128  # bytes, so that no pattern above is cut in two
_STEP = 1 << 20  # bytes; a prediction holds this much of its answer, and the same decoded

_TEXT_LIMIT = 2 << 20  # bytes; ten prompts of 32,000 characters, all escaped, echoed back
_MOST_IMAGES = 40  # of ten entries with two fields each, and the same again


class AnswerTooLong(Exception):
    """No answer of the Images API has as much text, or as many images; the rest is not read."""


class AnswerStream:
    """`text` is the JSON, each image's data in it replaced by the image's index in `files`."""

    def __init__(self, directory: Path) -> None:
        self.text = bytearray()
        # Not all flushed; None is data that broke off or is no base64.
        self.files: list[Base64File | None] = []
        self._directory = directory
        self._unread = b""
        self._image: Base64File | None = None

    async def read(self, chunks: AsyncIterable[bytes]) -> None:
        """Take the body in; if `chunks` raises, what came until then stays usable.

        Raises:
            AnswerTooLong: the rest was not read; what came until then stays usable as well.
        """
        step: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                step.append(chunk)
                size += len(chunk)
                if size >= _STEP:
                    # First, or a failure would let it be read again.
                    full, step, size = step, [], 0
                    await in_thread(self._to_disk, full)
        finally:
            self._feed([*step, None])  # less than a step, and written to disk later

    def _to_disk(self, step: Iterable[bytes]) -> None:
        self._feed(step)
        for image in filter(None, [*self.files, self._image]):
            image.flush()

    def _feed(self, pieces: Iterable[bytes | None]) -> None:
        # One after the other, because joining them takes as long as decoding them; None is the end.
        for piece in pieces:
            last = piece is None
            self._unread += piece or b""
            while self._take_image(self._image, last) if self._image else self._take_text(last):
                pass

    def _take_text(self, last: bool) -> bool:
        start = _DATA_STARTS.search(self._unread)
        end = start.end() if start else max(0, len(self._unread) - (0 if last else _HELD_BACK))
        self.text += self._unread[:end]
        self._unread = self._unread[end:]
        if len(self.text) > _TEXT_LIMIT or (start and len(self.files) == _MOST_IMAGES):
            raise AnswerTooLong
        if start:
            self.text += b"%d" % len(self.files)
            self._image = Base64File(self._directory / f"{len(self.files)}.part")
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
            self.files.append(image if end >= 0 and image.is_sound and image.size else None)
            self._image = None
        return end >= 0
