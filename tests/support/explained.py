"""What becomes of an exception of the openai SDK, without a server."""

import httpx2
import openai

from gpt_image import errors
from gpt_image.inputs import Inputs
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
    inputs = Inputs(prompt=prompt, background="transparent")
    request = ImageRequest.from_inputs(inputs, operators_model="m")
    return explain(error, Asked(request, "openai_api_key", Door(["test-key-abc"], prompt)))
