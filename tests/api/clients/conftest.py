"""The clients, the API that they call, and what a test hands to them."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from dev.servers.api import Api
from dev.servers.litellm import REQUIREMENTS
from tests.api.clients.published import Client, Server, javascript_clients, python_client
from tests.support.cog_client import picture
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


@pytest.fixture(scope="session", params=["openai-2", "openai-3"])
def openai_python(request: pytest.FixtureRequest) -> Client:
    return python_client(request.param, "/v1", "openai")


@pytest.fixture(scope="session")
def openai_javascript() -> Client:
    return javascript_clients("javascript-openai")


@pytest.fixture(scope="session")
def litellm_python() -> Client:
    return python_client("litellm", "/v1", "litellm", REQUIREMENTS)


@pytest.fixture
def server(api: Api, sandbox: Sandbox) -> Server:
    """The API before Cog's server; the sandbox has no requests recorded yet."""
    return Server(api.url, api.token)


@pytest.fixture
def two_pictures(tmp_path: Path) -> list[str]:
    """A PNG and a JPEG."""
    files = {"a.png": "PNG", "b.jpg": "JPEG"}
    for name, kind in files.items():
        (tmp_path / name).write_bytes(picture(kind))
    return [str(tmp_path / name) for name in files]


@pytest.fixture(scope="session")
def large_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG of 5 MB."""
    pixels = Image.frombytes("RGB", (1290, 1290), os.urandom(1290 * 1290 * 3))
    file = io.BytesIO()
    pixels.save(file, "PNG", compress_level=0)
    path = tmp_path_factory.mktemp("pictures") / "large picture.png"
    path.write_bytes(file.getvalue())
    return path
