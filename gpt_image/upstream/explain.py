"""From the openai SDK's exceptions to the error tree: what an upstream's failure means."""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx2
import openai

from gpt_image.errors import (
    BILLED_NOTE,
    AnswerNotUsable,
    ConnectionLost,
    GptImageError,
    UpstreamDown,
    UpstreamTimedOut,
)
from gpt_image.upstream.asked import Asked
from gpt_image.upstream.refusal import Refusal


def explain(error: Exception, asked: Asked) -> GptImageError:
    """What an exception of the openai SDK or of its HTTP client means, as one of our own."""
    if isinstance(error, openai.APIStatusError):
        return Refusal.of(error, asked).explained()
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        return _explain_transport(error)
    if isinstance(error, openai.APIError | openai.OpenAIError | httpx2.HTTPError):
        return AnswerNotUsable(
            f"The upstream's answer could not be read ({type(error).__name__}); {BILLED_NOTE}."
        )
    raise TypeError(f"{type(error).__name__} does not come from the upstream call")


def _explain_transport(error: Exception) -> GptImageError:
    # A connect timeout is an APITimeoutError as well: only the cause tells whether bytes were sent.
    cause = error if isinstance(error, httpx2.TransportError) else error.__cause__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        return UpstreamDown(
            f"The upstream could not be reached ({_why_unreachable(cause)}), so nothing was "
            "billed; check OPENAI_BASE_URL or OPENAI_PROXY_URL and the network, or try again later."
        )
    if isinstance(cause, httpx2.PoolTimeout):
        return UpstreamDown(
            "All connections to the upstream were busy, so nothing was sent or billed; "
            "try again later."
        )
    if isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return UpstreamDown(
            "The request could not be sent, so nothing was billed; check OPENAI_BASE_URL or "
            "OPENAI_PROXY_URL."
        )
    if isinstance(cause, httpx2.TimeoutException) or isinstance(error, openai.APITimeoutError):
        return timed_out()
    return ConnectionLost(
        f"The connection to the upstream broke while it worked on the request; {BILLED_NOTE}."
    )


def timed_out() -> UpstreamTimedOut:
    return UpstreamTimedOut(
        f"The upstream did not answer before the deadline; {BILLED_NOTE}; ask for a lower quality "
        "or a smaller size, or have the operator raise OPENAI_DEADLINE_SECONDS."
    )


def _why_unreachable(error: BaseException) -> str:
    """In words of our own, because the system's may name what is private."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "its host name was not found"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its TLS certificate is not trusted here"
        if isinstance(cause, ssl.SSLError):
            return "TLS could not be agreed on"
        if isinstance(cause, ConnectionRefusedError):
            return "it refused the connection"
        if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE}:
            return "this machine has too many files open"
    return "no connection was made"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
