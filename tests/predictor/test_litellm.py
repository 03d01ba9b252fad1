"""A real gateway, the LiteLLM proxy, between the predictor and the sandbox."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from dev.servers import Server, predictor_server
from dev.servers.litellm import LiteLLMProxy, litellm_proxy
from tests.support.cog_client import Cog, data_uri, picture
from tests.support.loopback import webhook_receiver
from tests.support.sandbox_client import Recorded, Sandbox

pytestmark = pytest.mark.litellm


@pytest.fixture(scope="module")
def proxy(sandbox_process: Server) -> Iterator[LiteLLMProxy]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(litellm_proxy(sandbox_process.url))
        except (OSError, subprocess.CalledProcessError) as error:
            reason = f"LiteLLM's environment could not be made, so nothing was tried: {error}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield server


@pytest.fixture(scope="module")
def predictor(proxy: LiteLLMProxy) -> Iterator[Cog]:
    """A predictor whose upstream is the proxy."""
    with predictor_server(OPENAI_PROXY_URL=proxy.url, OPENAI_PROXY_KEY=proxy.key) as server:
        yield Cog(server.url)


def test_the_version_is_stated(proxy: LiteLLMProxy, capsys: pytest.CaptureFixture[str]) -> None:
    schema = requests.get(f"{proxy.root}/openapi.json", timeout=30).json()
    with capsys.disabled():
        print(f"\nLiteLLM {schema['info']['version']}", flush=True)  # noqa: T201 - for who reads the run


def test_a_generation_passes_with_all_its_inputs(predictor: Cog, sandbox: Sandbox) -> None:
    prediction = predictor.predict(
        aspect_ratio="3:2",
        quality="medium",
        number_of_images=2,
        output_format="jpeg",
        output_compression=80,
        moderation="low",
        user_id="user-7",
    )

    assert [(image.format, image.size) for image in prediction.images] == [
        ("JPEG", (1536, 1024))
    ] * 2
    assert prediction.metrics["output_token_count"] == 2 * 1372
    assert sandbox.request.arguments == {
        "model": "gpt-image-2",
        "prompt": "A lighthouse at dusk",
        "n": 2,
        "size": "1536x1024",
        "quality": "medium",
        "background": "auto",
        "output_format": "jpeg",
        "output_compression": 80,
        "moderation": "low",
        "safety_identifier": "user-7",
    }
    assert sandbox.request.headers["authorization"] == "Bearer test-key-upstream"


def test_an_edit_passes_with_three_images(predictor: Cog, sandbox: Sandbox) -> None:
    files = [picture(kind) for kind in ("PNG", "JPEG", "WEBP")]

    prediction = predictor.predict(input_images=[data_uri(file) for file in files])

    assert prediction.image.format == "WEBP"
    assert prediction.metrics["input_image_token_count"] > 0
    assert sandbox.request.path == "/v1/images/edits"
    sent = [part["sha256"] for part in sandbox.request.files]
    assert sent == [hashlib.sha256(file).hexdigest() for file in files]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("moderation", "ModerationBlocked"),
        ("quota", "QuotaExceeded"),
        ("hard-limit", "QuotaExceeded"),
        ("key-rejected", "KeyRejected"),
        ("transparent-unsupported", "UnsupportedByModel"),
        ("invalid-image", "RequestRejected"),
        ("reset-after-read", "ConnectionLost"),
        ("truncated-body", "ConnectionLost"),
        ("html", "ConnectionLost"),
        ("data-null", "AnswerNotUsable"),
    ],
)
def test_an_error_is_told_although_its_code_is_lost_and_is_not_repeated(
    predictor: Cog, sandbox: Sandbox, fault: str, error: str
) -> None:
    prediction = predictor.predict(prompt=f"A lighthouse [sandbox:{fault}]")

    assert prediction.error.startswith(f"{error}: ")
    assert len(asked(sandbox)) == 1


def asked(sandbox: Sandbox) -> list[Recorded]:
    """What the predictor asked of LiteLLM, which itself repeats what fails (1.106.2 does so on
    generations, whatever its configuration says).
    """
    return [r for r in sandbox.requests if r.headers.get("x-stainless-retry-count", "0") == "0"]


def test_a_cancelled_edit_closes_the_connection_to_the_upstream(
    predictor: Cog, sandbox: Sandbox
) -> None:
    """LiteLLM hands it on for edits, with `cancel_on_disconnect`; not for generations (1.106.2)."""
    with webhook_receiver() as webhooks:
        body = {
            "input": {
                "prompt": "A slow lighthouse [sandbox:slow seconds=20]",
                "input_images": [data_uri(picture())],
            },
            "webhook": webhooks.url,
            "webhook_events_filter": ["completed"],
        }
        predictor.post(body, id="through-litellm", Prefer="respond-async")
        sandbox.wait_for(lambda entry: entry["received"])

        requests.post(f"{predictor.url}/predictions/through-litellm/cancel", timeout=60)

        assert webhooks.completed("through-litellm")["status"] == "canceled"
        sandbox.wait_for(lambda entry: entry["disconnected"])
