"""What one writes first: the SDK's typed answer, decoded and written as it comes."""

import base64
import tempfile
from typing import Any, Optional

from cog import BaseRunner, Input, Path, concurrent
from openai import AsyncOpenAI


class Predictor(BaseRunner):
    def setup(self) -> None:  # type: ignore[override] # weights are for models that have some
        self.client = AsyncOpenAI()

    @concurrent(max=32)
    async def run(
        self,
        prompt: str,
        aspect_ratio: str = Input(default="1024x1024"),
        input_images: Optional[list[Path]] = Input(default=None),  # noqa: B008, UP045 - Cog's idiom
        number_of_images: int = Input(default=1),
        output_compression: int = Input(default=90),
        output_format: str = Input(default="webp"),
    ) -> list[Path]:
        size = "1024x1024" if aspect_ratio == "1:1" else aspect_ratio
        wanted: dict[str, Any] = {"prompt": prompt, "size": size, "n": number_of_images}
        wanted |= {"model": "gpt-image-2", "output_format": output_format}
        if output_format != "png":
            wanted["output_compression"] = output_compression
        if input_images:
            answer = await self.client.images.edit(image=input_images, **wanted)
        else:
            answer = await self.client.images.generate(**wanted)
        directory = Path(tempfile.mkdtemp())
        files = []
        for index, image in enumerate(answer.data):
            file = directory / f"{index}.{output_format}"
            file.write_bytes(base64.b64decode(image.b64_json))
            files.append(Path(file))
        return files
