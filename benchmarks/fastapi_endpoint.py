"""The least that one would deploy without Cog: FastAPI and the SDK's typed answer.

Needs benchmarks/requirements.txt; answers with data URIs, as Cog does.
"""

import base64
from io import BytesIO
from typing import Any

from fastapi import FastAPI
from openai import AsyncOpenAI
from pydantic import BaseModel


class Input(BaseModel):
    prompt: str
    aspect_ratio: str = "1024x1024"
    input_images: list[str] = []
    number_of_images: int = 1
    output_compression: int = 90
    output_format: str = "webp"


class Prediction(BaseModel):
    input: Input


app = FastAPI()
client = AsyncOpenAI()


@app.post("/predictions")
async def predict(prediction: Prediction) -> dict[str, object]:
    asked = prediction.input
    wanted: dict[str, Any] = {"model": "gpt-image-2", "output_format": asked.output_format}
    wanted |= {"prompt": asked.prompt, "size": asked.aspect_ratio, "n": asked.number_of_images}
    if asked.output_format != "png":
        wanted["output_compression"] = asked.output_compression
    if asked.input_images:
        files = [
            (f"{index}.png", BytesIO(base64.b64decode(uri.partition(",")[2])), "image/png")
            for index, uri in enumerate(asked.input_images)
        ]
        answer = await client.images.edit(image=files, **wanted)
    else:
        answer = await client.images.generate(**wanted)
    media_type = f"image/{asked.output_format}"
    output = [f"data:{media_type};base64,{image.b64_json}" for image in answer.data]
    return {"status": "succeeded", "output": output}
