"""Where log lines go: Cog shows all that a prediction writes to its caller."""

import logging
import sys

# Below WARNING these print URLs, headers or bodies, and Cog shows the lines to callers.
_LIBRARIES = ("openai", "httpx2", "httpcore2", "urllib3", "PIL", "asyncio")


def configure() -> None:
    """Bare lines of ours at INFO; the libraries' at WARNING whatever OPENAI_LOG says.

    Called in setup(), once Cog has replaced sys.stdout by its own.
    """
    ours = logging.getLogger("gpt_image")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def shown_id(prediction_id: str | None) -> str | None:
    """The id from the request's context; None where it is not fit for a log line."""
    if not prediction_id or len(prediction_id) > 64:
        return None
    return prediction_id if prediction_id.isascii() and prediction_id.isprintable() else None
