"""The clients, the API that they call, and what a test hands to them."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from dev.servers.api import Api
from tests.api.clients.published import Client, Server, javascript_clients, python_client
from tests.support.sandbox_client import Sandbox


@pytest.fixture(scope="session")
def python_1() -> Client:
    return python_client("replicate-1", "")


@pytest.fixture(scope="session")
def python_2() -> Client:
    return python_client("replicate-2", "/v1")


@pytest.fixture(scope="session")
def javascript() -> Client:
    return javascript_clients()


@pytest.fixture
def server(api: Api, sandbox: Sandbox) -> Server:
    """The API before Cog's server; the sandbox has no requests recorded yet."""
    return Server(api.url, api.token)


@pytest.fixture(scope="session")
def large_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG of 5 MB."""
    pixels = Image.frombytes("RGB", (1290, 1290), os.urandom(1290 * 1290 * 3))
    file = io.BytesIO()
    pixels.save(file, "PNG", compress_level=0)
    path = tmp_path_factory.mktemp("pictures") / "large picture.png"
    path.write_bytes(file.getvalue())
    return path
