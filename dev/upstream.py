"""Where the predictor sends its calls: the sandbox, or what --real finds in the environment."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dev.servers import sandbox_server
from gpt_image.settings import take_settings
from gpt_image.upstream.client import Upstream


@contextmanager
def sandbox_upstream() -> Iterator[dict[str, str]]:
    """A running sandbox; yields the environment that points a predictor at it and nowhere else."""
    with sandbox_server() as sandbox:
        print(f"Using the sandbox at {sandbox.url}: stand-in pictures, no key, no cost.")
        # A caller's own key goes to OPENAI_BASE_URL, which would otherwise be OpenAI itself.
        yield {"OPENAI_PROXY_URL": sandbox.url, "OPENAI_BASE_URL": sandbox.url}


def real_upstream(inputs: Mapping[str, Any], needs_payer: bool = True) -> dict[str, str]:
    """The exported OPENAI_* and proxy variables, once it has been said who is asked and who pays.

    Without `needs_payer` it may also be that each request has to bring its own key.

    Raises:
        BadSettings: a variable is wrong.
        InvalidInput: the request's own key is malformed.
        NoCredentials: nobody would pay, and `needs_payer`.
    """
    variables = _exported()
    settings = take_settings()
    served_by = settings.payer_without_key
    if needs_payer:
        payer = Upstream(settings).payer(inputs.get("openai_api_key"))
        if payer.is_caller:
            served_by = f"this request's openai_api_key at {payer.client.base_url.host}"
    print(f"No sandbox: this is served, and paid, by {served_by}.")
    return variables


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
