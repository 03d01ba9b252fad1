"""The LiteLLM proxy as a subprocess, in an environment of its own: it needs another openai SDK."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.servers.environments import environment
from dev.servers.process import HOST, PROJECT, Server, clean_environment, free_port, get

REQUIREMENTS = PROJECT / "benchmarks" / "requirements-litellm.txt"
READY_WITHIN = 120.0  # seconds; its imports alone took 7 s on 2 idle cores

# What LiteLLM's own pages advise for production, and nothing fetched at start.
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "PYTHONUNBUFFERED": "1",
}


class LiteLLMProxy(Server):
    """`url` is the OpenAI-shaped API (ends in /v1), `key` what it wants as the bearer token."""

    key: str


@contextmanager
def litellm_proxy(
    upstream_url: str, upstream_key: str = "test-key-upstream"
) -> Iterator[LiteLLMProxy]:
    """LiteLLM on a free port in front of `upstream_url` (ends in /v1), without any retries.

    Yields when it accepts requests for the model `gpt-image-2`. The first use makes the virtual
    environment, about 80 s and 720 MB on disk.

    Raises:
        ServerError: it did not come up.
        subprocess.CalledProcessError: the environment could not be made.
    """
    program = environment("litellm", REQUIREMENTS) / "bin" / "litellm"
    key = f"test-key-{secrets.token_hex(16)}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"  # JSON is YAML too
        config.write_text(json.dumps(_config(upstream_url, upstream_key)))
        port = free_port()
        address = ["--host", HOST, "--port", str(port)]
        server = LiteLLMProxy(
            "The LiteLLM proxy",
            [str(program), "--config", str(config), *address, "--telemetry", "False"],
            clean_environment(program) | _ENVIRONMENT | {"LITELLM_MASTER_KEY": key},
        )
        server.key = key
        server.root = f"http://{HOST}:{port}"
        server.url = f"{server.root}/v1"
        try:
            server.wait_until(lambda: _is_ready(server), READY_WITHIN)
            yield server
        finally:
            server.stop()


def _config(upstream_url: str, upstream_key: str) -> dict[str, object]:
    model = {
        "model": "openai/gpt-image-2",
        "api_base": upstream_url,
        "api_key": upstream_key,
        "max_retries": 0,
    }
    return {
        "model_list": [
            {
                "model_name": "gpt-image-2",
                "litellm_params": model,
                "model_info": {"mode": "image_generation"},
            }
        ],
        # Its default repeats calls that may have been billed.
        "litellm_settings": {"num_retries": 0, "request_timeout": 900},
        # One error would otherwise make it answer 429 to everybody for 5 s.
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"cancel_on_disconnect": True},
    }


def _is_ready(server: Server) -> bool:
    try:
        status, _ = get(f"{server.root}/health/liveliness")
    except OSError:
        return False
    return status == 200
