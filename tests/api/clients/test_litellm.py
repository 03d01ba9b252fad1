"""LiteLLM 1.106.2, as a client and as a proxy before this API."""

import pytest
import requests

from dev.servers.litellm import litellm_proxy
from tests.api.clients.published import Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.litellm


def test_the_client_draws_and_edits(
    litellm_python: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = litellm_python.run(
        """
        base = os.environ["OPENAI_BASE_URL"]

        def kind(answer):
            first = answer.data[0]
            return first.url[:7] if first.url else first.b64_json[:6]

        aimls = litellm.image_generation(model="aiml/openai/gpt-image-2", prompt="A fox")
        whole = litellm.image_generation(
            model="aiml/openai/gpt-image-2", prompt="A fox", response_format="b64_json",
        )
        openais = litellm.image_generation(
            model="openai/openai/gpt-image-2", prompt="A fox", api_base=base, quality="low",
        )
        with open(given["pictures"][0], "rb") as one:
            edited = litellm.image_edit(
                model="openai/gpt-image-2", prompt="At night", image=[one], api_base=base,
            )
        try:
            litellm.image_generation(
                model="openai/gpt-image-2", prompt="A fox [sandbox:502-html]", api_base=base,
            )
        except litellm.BadRequestError as error:
            failure = str(error)
        tell([kind(aimls), kind(whole), kind(openais), kind(edited), failure])
        """,
        server,
        pictures=two_pictures,
    )
    assert told[:2] == ["http://", "iVBORw"]
    assert told[2] in {"http://", "iVBORw"}
    assert told[3] in {"http://", "iVBORw"}
    assert "may have been billed" in told[4]
    assert len(sandbox.requests) == 5


def test_the_proxy_gets_a_picture_from_this_api(server: Server, sandbox: Sandbox) -> None:
    with litellm_proxy(f"{server.url}/v1", server.token) as proxy:
        answer = requests.post(
            f"{proxy.url}/images/generations",
            json={"model": "gpt-image-2", "prompt": "A fox", "size": "1024x1024"},
            headers={"Authorization": f"Bearer {proxy.key}"},
            timeout=60,
        )
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["b64_json"].startswith("iVBORw")
    assert len(sandbox.requests) == 1
