"""What becomes of an exception of the openai SDK, without a server."""

import httpx2
import openai

from gpt_image import errors
from gpt_image.request import ImageRequest
from gpt_image.upstream.asked import Asked
from gpt_image.upstream.door import Door
from gpt_image.upstream.explain import explain


def status_error(status: int, body: object, **headers: str) -> openai.APIStatusError:
    request = httpx2.Request("POST", "https://api.example/v1/images/generations")
    response = httpx2.Response(status, request=request, headers=headers)
    made = openai.AsyncOpenAI(api_key="test-key", max_retries=0)._make_status_error(
        "message", body={"error": body}, response=response
    )
    assert isinstance(made, openai.APIStatusError)
    return made


def explained(error: Exception, prompt: str = "A lighthouse") -> errors.GptImageError:
    request = ImageRequest.from_inputs(
        prompt=prompt,
        aspect_ratio="1:1",
        input_images=None,
        number_of_images=1,
        quality="auto",
        background="transparent",
        output_compression=90,
        output_format="webp",
        moderation="auto",
        user_id=None,
    )
    return explain(error, Asked(request, "m", "openai_api_key", Door(["test-key-abc"], prompt)))
