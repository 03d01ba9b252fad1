"""What travels under the SDK: an upload of open files arrives whole and is read off the loop."""

import asyncio
import io
import threading

import httpx2

from gpt_image.upstream.transport import AiohttpTransport
from tests.support.loopback import Answer, stand_in


class WatchedFile(io.BytesIO):
    """Remembers which threads read it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.readers: set[int] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.readers.add(threading.get_ident())
        return super().read(size)


def test_an_upload_arrives_whole_and_is_not_read_on_the_event_loop() -> None:
    content = b"".join(n.to_bytes(4, "big") for n in range(800_000))  # several steps
    files = [WatchedFile(content), WatchedFile(b"small")]
    loops_thread = threading.get_ident()

    async def upload(url: str) -> None:
        async with httpx2.AsyncClient(transport=AiohttpTransport()) as client:
            parts = [("image[]", ("image.png", file, "image/png")) for file in files]
            answer = await client.post(url, data={"prompt": "A lighthouse"}, files=parts)
            assert answer.status_code == 200

    with stand_in() as upstream:
        upstream.answer = lambda _: Answer(body=b"{}")
        asyncio.run(upload(upstream.root))

    (request,) = upstream.requests
    assert content in request.body
    assert b"small" in request.body
    assert all(file.readers and loops_thread not in file.readers for file in files)
