"""One sandbox process for most tests, and how they speak to it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
import requests
from PIL import Image

from dev.servers import sandbox_server

MODEL = "gpt-image-2"
KEY = "test-key-caller"
FormFile = tuple[str, tuple[str | None, bytes, str] | tuple[None, bytes]]


@dataclass
class Api:
    """Plain HTTP to a sandbox, without the kindness of an SDK."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {KEY}"
        self.root = self.url.removesuffix("/v1")

    def generate(self, **fields: object) -> requests.Response:
        """Post to generations; model and prompt have defaults, ``...`` leaves a field out."""
        body = {"model": MODEL, "prompt": "A lighthouse", "size": "1024x1024", **fields}
        body = {name: value for name, value in body.items() if value is not ...}
        return self.http.post(f"{self.url}/images/generations", json=body, timeout=20)

    def edit(self, files: list[FormFile], **fields: str) -> requests.Response:
        """Post a form to edits, text fields first, as the SDK does."""
        texts = {"model": MODEL, "prompt": "Make it blue", "size": "1024x1024", **fields}
        form = [(name, (None, value)) for name, value in texts.items()]
        return self.http.post(f"{self.url}/images/edits", files=[*form, *files], timeout=20)

    def ledger(self) -> list[dict[str, Any]]:
        """Return the entries, oldest first."""
        entries: list[dict[str, Any]] = self._own("ledger")["entries"]
        return entries

    def requests(self) -> list[dict[str, Any]]:
        """Return the recorded requests, oldest first."""
        recorded: list[dict[str, Any]] = self._own("requests")["requests"]
        return recorded

    def forget(self) -> None:
        """Clear ledger and record."""
        for name in ("ledger", "requests"):
            self.http.delete(f"{self.root}/sandbox/{name}", timeout=60)

    def sdk(self, timeout: float = 20) -> openai.OpenAI:
        """Return OpenAI's own client, without its retries."""
        return openai.OpenAI(api_key=KEY, base_url=self.url, max_retries=0, timeout=timeout)

    def _own(self, name: str) -> dict[str, Any]:
        body: dict[str, Any] = self.http.get(f"{self.root}/sandbox/{name}", timeout=60).json()
        return body


@pytest.fixture(scope="session")
def _shared_api() -> Iterator[Api]:
    with sandbox_server(SANDBOX_RECORD="true") as server:
        api = Api(server.url)
        with api.http:
            yield api


@pytest.fixture
def api(_shared_api: Api) -> Api:
    """A sandbox that has forgotten what other tests did."""
    _shared_api.forget()
    return _shared_api


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width: int = 64, height: int = 48, mode: str = "RGB") -> bytes:
    """Return a small PNG."""
    return file_of(Image.new(mode, (width, height)))


def upload(data: bytes, kind: str = "image/png", name: str = "image[]") -> FormFile:
    """Return one file part of a form."""
    return (name, ("picture", data, kind))
