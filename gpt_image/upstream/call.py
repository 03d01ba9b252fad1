"""One request to the Images API, and what came of it."""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx2
import openai

from gpt_image import errors
from gpt_image.deadline import Deadline
from gpt_image.input_images.prepare import InputImage
from gpt_image.request import ImageRequest
from gpt_image.threads import in_thread
from gpt_image.upstream import answer, explain
from gpt_image.upstream.answer import Answer
from gpt_image.upstream.answer_stream import AnswerStream, AnswerTooLong
from gpt_image.upstream.asked import Asked
from gpt_image.upstream.door import Door
from gpt_image.upstream.payers import Payer

log = logging.getLogger(__name__)

_MAY_BE_LEFT_OUT = {"safety_identifier", "moderation", "stream", "partial_images"}


@dataclass
class Call:
    """Sends one prediction's request; `send` may be called again where nothing was billed."""

    payer: Payer
    request: ImageRequest
    images: Sequence[InputImage]
    directory: Path
    """Where large images of the answer are received."""
    deadline: Deadline
    streamed: bool
    """Whether the answer is asked for as events."""
    left_out: set[str] = field(default_factory=set, init=False)
    """Parameters that this upstream does not know."""

    async def send(self) -> Answer:
        """Ask once; a parameter that the upstream does not know costs one more request.

        Raises:
            GptImageError: one of explain.py or answer.py.
        """
        while True:
            try:
                return await self._send()
            except errors.RequestRejected as error:
                # Gateways that know an older API; a refused request was not billed.
                extra = error.unknown_parameter
                if extra not in _MAY_BE_LEFT_OUT or extra in self.left_out:
                    raise
                self.left_out |= {extra, "partial_images"} if extra == "stream" else {extra}
                log.warning("The upstream does not know %s; asking again without it.", extra)

    async def _send(self) -> Answer:
        stream = AnswerStream(self.directory)
        headers: Mapping[str, str] = {}
        try:
            async with self.deadline.timeout(), self._response() as response:
                headers = response.headers
                await stream.read(response.iter_bytes())
        except TimeoutError:
            if not any(stream.files):
                raise explain.timed_out() from None
            log.warning("The upstream's answer did not end before the deadline.")
        except AnswerTooLong:
            if not any(stream.files):
                raise errors.AnswerNotUsable(
                    f"The upstream's answer is far too long and holds no image; "
                    f"{errors.BILLED_NOTE}; have the operator look at the upstream."
                ) from None
            log.warning("The upstream's answer is far too long; the rest of it was not read.")
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            if not any(stream.files):
                raise explain.explain(error, self._asked) from None
            log.warning("The upstream's answer broke off.")
        except OSError as error:
            if not any(stream.files):
                raise errors.OutputNotSaved(
                    f"The images could not be written ({error.strerror}); {errors.BILLED_NOTE}; "
                    "have the operator check OUTPUT_DIRECTORY."
                ) from None
            log.warning("The upstream's answer could not all be stored (%s).", error.strerror)
        return answer.understand(stream, headers=headers, asked=self._asked)

    @asynccontextmanager
    async def _response(self) -> AsyncIterator[openai.AsyncAPIResponse[Any]]:
        body = self.request.body()
        if self.streamed:
            body |= {"stream": True, "partial_images": 0}
        for name in self.left_out:
            body.pop(name, None)
        api = self.payer.client.images.with_streaming_response
        # Most of it as extra_body, because named arguments take the SDK 0.3 ms to look through.
        arguments: dict[str, Any] = {
            "prompt": body.pop("prompt"),
            "extra_body": body,
            "extra_headers": self.payer.headers,
        }
        if not self.request.is_edit:
            async with api.generate(**arguments) as response:
                yield response
            return
        with ExitStack() as opened:
            # Open files because the SDK streams them, while it would copy bytes. Always a list,
            # named and typed: the API refuses the types that the SDK guesses for bare bytes.
            files = defaultdict(list)
            for image, open_file in await in_thread(_open_all, self.images):
                file = (image.name, opened.enter_context(open_file), image.content_type)
                files[image.part].append(file)
            images = files.pop("image")
            over_first: dict[str, Any] = {part: file for part, (file,) in files.items()}
            async with api.edit(image=images, **over_first, **arguments) as response:
                yield response

    @property
    def _asked(self) -> Asked:
        door = Door((self.payer.key, *self.payer.account), self.request.prompt)
        return Asked(self.request, self.payer.credential, door)


def _open_all(images: Sequence[InputImage]) -> list[tuple[InputImage, BinaryIO]]:
    try:
        return [(image, image.path.open("rb")) for image in images]
    except OSError as error:
        raise errors.MachineFault(
            f"The input images could not be opened ({error.strerror}), so nothing was asked of the "
            "upstream; try again later, or have the operator allow more open files."
        ) from None
