"""The images of a JSON edit: data URLs, addresses, file ids."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.sandbox.conftest import MODEL, Api, png
from tests.support.loopback import file_server

DATA_URL = "data:image/png;base64," + base64.b64encode(png()).decode()


def edit(api: Api, *references: object, **fields: object) -> tuple[int, dict[str, Any]]:
    """Return status and error of an edit; the error is empty where it went well."""
    body = {"model": MODEL, "prompt": "x", "size": "1024x1024", "images": references, **fields}
    answer = api.http.post(f"{api.url}/images/edits", json=body, timeout=20)
    return answer.status_code, answer.json().get("error", {})


def test_an_address_without_an_image_is_refused_by_what_is_there(api: Api) -> None:
    with file_server({"/page": b"<html>"}) as url:
        _, error = edit(api, {"image_url": f"{url}/page"})
    assert error["code"] == "unsupported_file_mimetype"


def test_an_address_where_nobody_listens_is_refused(api: Api) -> None:
    with file_server({}) as url:
        pass
    status, error = edit(api, {"image_url": f"{url}/picture"})
    assert (status, error["code"]) == (400, "invalid_image_url")


@contextmanager
def dripping_server() -> Iterator[str]:
    """A server that sends its header for ever, a byte at a time."""
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while not over.wait(0.1):
                peer.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            over.set()
            thread.join()


@pytest.mark.long
def test_an_address_has_ten_seconds(api: Api) -> None:
    with dripping_server() as url:
        began = time.monotonic()
        assert edit(api, {"image_url": url})[1]["code"] == "invalid_image_url"
    assert 9 < time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("reference", "code", "param"),
    [
        ({"image_url": "ftp://localhost/x.png"}, "invalid_value", "images[0].image_url"),
        ({"image_url": 7}, "missing_required_parameter", "images[0].image_url"),
        (DATA_URL, "invalid_type", "images[0]"),
    ],
    ids=["ftp", "a number", "no object"],
)
def test_a_reference_that_is_none_is_refused(
    api: Api, reference: object, code: str | None, param: str
) -> None:
    status, error = edit(api, reference)
    assert (status, error["code"], error["param"]) == (400, code, param)
