"""The least that a predictor on Cog can do: wait as long as the upstream, return a ready file."""

import asyncio
import os

from cog import BaseRunner, Path, concurrent


class Predictor(BaseRunner):
    def setup(self) -> None:  # type: ignore[override] # weights are for models that have some
        self.seconds = float(os.environ["AWAIT_SECONDS"])
        self.file = Path(os.environ["AWAIT_FILE"])

    @concurrent(max=32)
    async def run(self, prompt: str) -> list[Path]:
        await asyncio.sleep(self.seconds)
        return [self.file]
