"""The least that a predictor on Cog can do: take the inputs, wait, return ready files."""

import asyncio
import os
from typing import Optional

from cog import BaseRunner, Input, Path, concurrent


class Predictor(BaseRunner):
    def setup(self) -> None:  # type: ignore[override] # weights are for models that have some
        self.seconds = float(os.environ["AWAIT_SECONDS"])
        self.file = Path(os.environ["AWAIT_FILE"])

    @concurrent(max=32)
    async def run(
        self,
        prompt: str,
        aspect_ratio: str = Input(default="1:1"),
        input_images: Optional[list[Path]] = Input(default=None),  # noqa: B008, UP045 - Cog's idiom
        number_of_images: int = Input(default=1),
        output_format: str = Input(default="webp"),
    ) -> list[Path]:
        await asyncio.sleep(self.seconds)
        return [self.file] * number_of_images
