"""Where no connection was made nothing was billed, and the sentence says what is in the way."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import openai
import pytest
import trustme

from dev.servers import predictor_server
from gpt_image import errors
from gpt_image.input_images.prepare import InputImage
from gpt_image.upstream.call import _open_all
from tests.support.cog_client import Cog, Prediction
from tests.support.explained import explained
from tests.support.loopback import nobody
from tests.support.waiting import HURRY

pytestmark = pytest.mark.long


def predict(url: str) -> Prediction:
    with predictor_server(OPENAI_PROXY_URL=url, OPENAI_DEADLINE_SECONDS=HURRY) as server:
        return Cog(server.url).predict()


@contextmanager
def self_signed() -> Iterator[str]:
    """The URL of an HTTPS server whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"https://localhost:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


def test_a_refused_connection_is_said() -> None:
    with nobody() as address:
        prediction = predict(f"{address}/v1")

    assert prediction.error.startswith("UpstreamDown: ")
    assert "(it refused the connection), so nothing was billed" in prediction.error
    assert prediction.metrics["may_have_been_billed"] is False


def test_a_name_that_does_not_exist_is_said() -> None:
    prediction = predict("http://no-such-host.invalid/v1")

    assert prediction.error.startswith("UpstreamDown: ")
    assert "(its host name was not found), so nothing was billed" in prediction.error


def test_a_certificate_that_is_not_trusted_is_said() -> None:
    with self_signed() as url:
        prediction = predict(url)

    assert prediction.error.startswith("UpstreamDown: ")
    assert "(its TLS certificate is not trusted here), so nothing was billed" in prediction.error


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (socket.gaierror(-2, "name"), "its host name was not found"),
        (ssl.SSLCertVerificationError(1, "certificate"), "its TLS certificate is not trusted here"),
        (ssl.SSLError(1, "protocol"), "TLS could not be agreed on"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "it refused the connection"),
        (OSError(errno.EMFILE, "files"), "this machine has too many files open"),
        (OSError(errno.ENFILE, "files"), "this machine has too many files open"),
        (FileNotFoundError(errno.ENOENT, "ca"), "no connection was made"),
    ],
    ids=str,
)
def test_the_systems_error_is_told_by_its_type_and_never_in_its_words(
    cause: OSError, said: str
) -> None:
    request = httpx2.Request("POST", "https://api.example/v1")
    connect_error = httpx2.ConnectError("https://api.example: words of a library", request=request)
    connect_error.__cause__ = cause
    outer = openai.APIConnectionError(request=request)
    outer.__cause__ = connect_error

    assert f"could not be reached ({said}), so nothing was billed" in str(explained(outer))


def test_input_images_that_cannot_be_opened_cost_nothing(tmp_path: Path) -> None:
    gone = InputImage(tmp_path / "gone.png", "image-1.png", "image/png")
    with pytest.raises(errors.MachineFault, match="nothing was asked of the upstream"):
        _open_all([gone])
