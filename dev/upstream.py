"""Where the predictor sends its calls: the sandbox, or what --real finds in the environment."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dev.servers import sandbox_server
from gpt_image.request import SIZES
from gpt_image.settings import take_settings
from gpt_image.upstream.client import Upstream
from sandbox.job import Size
from sandbox.tokens import output_tokens

OUTPUT_DOLLARS_PER_TOKEN = 30 / 1_000_000  # OpenAI's list price of gpt-image-2, 2026-11
QUALITIES = ["low", "medium", "high"]


@contextmanager
def sandbox_upstream() -> Iterator[dict[str, str]]:
    """A running sandbox; yields the environment that points a predictor at it and nowhere else."""
    with sandbox_server() as sandbox:
        print(f"Using the sandbox at {sandbox.url}: stand-in pictures, no key, no cost.")
        # A caller's own key goes to OPENAI_BASE_URL, which would otherwise be OpenAI itself.
        yield {"OPENAI_PROXY_URL": sandbox.url, "OPENAI_BASE_URL": sandbox.url}


def real_upstream(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The exported OPENAI_* and proxy variables, once it has been said who is asked and who pays.

    Raises:
        BadSettings: a variable is wrong.
        InvalidInput: the request's own key is malformed.
        NoCredentials: nobody would pay.
    """
    variables = _exported()
    settings = take_settings()
    payer = Upstream(settings).payer(inputs.get("openai_api_key"))
    if payer.is_caller:
        served_by = f"this request's openai_api_key at {payer.client.base_url.host}"
    else:
        served_by = settings.payer_without_key
    print(f"No sandbox: this is served, and paid, by {served_by}.")
    print(f"Expected cost: {expected_cost(inputs)}.")
    return variables


def expected_cost(inputs: Mapping[str, Any]) -> str:
    """What the asked images cost in US dollars, a range for auto; the input's tokens come on top.

    Unknown values count as auto, since the server has not refused them yet.
    """
    size = SIZES.get(inputs.get("aspect_ratio", "1:1"), "auto")
    sizes = [each for each in SIZES.values() if each != "auto" and size in {"auto", each}]
    quality = inputs.get("quality", "auto")
    qualities = [quality] if quality in QUALITIES else QUALITIES
    tokens = [output_tokens(_pixels(each), level) for each in sizes for level in qualities]
    n = inputs.get("number_of_images", 1)
    images = n if isinstance(n, int) else 1
    low, high = (images * count * OUTPUT_DOLLARS_PER_TOKEN for count in (min(tokens), max(tokens)))
    amount = f"${low:.3f}" if low == high else f"${low:.3f} to ${high:.3f}"
    return f"{amount} for {images} image{'s' * (images > 1)}, plus the tokens of the inputs"


def _exported() -> dict[str, str]:
    exported = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("OPENAI_") or name.upper().endswith("_PROXY")
    }
    # Cog's webhooks come to us over loopback, which must not go through a proxy.
    exceptions = exported.get("no_proxy") or exported.get("NO_PROXY")
    local = ",".join(filter(None, [exceptions, "127.0.0.1"]))
    return exported | {"NO_PROXY": local, "no_proxy": local}


def _pixels(size: str) -> Size:
    width, height = size.split("x")
    return Size(int(width), int(height))
