"""The least that a predictor on Cog can do to get an image: no SDK, no checks, no logs, no thread.

Its files are written on the event loop, so it is a floor to compare with and no example.
"""

import json
import os
import tempfile

import aiohttp
import pybase64
from cog import BaseRunner, Path, concurrent


class Predictor(BaseRunner):
    def setup(self) -> None:  # type: ignore[override] # weights are for models that have some
        self.url = os.environ["FLOOR_URL"] + "/images/generations"
        self.session: aiohttp.ClientSession | None = None

    @concurrent(max=32)
    async def run(self, prompt: str) -> list[Path]:
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        wanted: dict[str, object] = {"model": "gpt-image-2", "prompt": prompt, "size": "1024x1024"}
        wanted |= {"output_format": "webp", "output_compression": 90}
        headers = {"Authorization": "Bearer test-key-floor"}
        async with self.session.post(self.url, json=wanted, headers=headers) as answer:
            body = json.loads(await answer.read())
        file = Path(tempfile.mkdtemp()) / "0.webp"
        file.write_bytes(pybase64.b64decode(body["data"][0]["b64_json"]))
        return [file]
