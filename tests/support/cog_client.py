"""A client of Cog's HTTP API, as a caller would write it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from PIL import Image

from dev.busy import until_taken
from dev.data_uris import data_uri as data_uri
from dev.data_uris import decoded


@dataclass
class Cog:
    """Sends predictions to one server."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def predict(self, **inputs: object) -> "Prediction":
        return self.send({"input": {"prompt": "A lighthouse at dusk"} | inputs})

    def send(self, body: object, *, id: str | None = None, **headers: str) -> "Prediction":
        return Prediction(self.post(body, id=id, **headers).json())

    def post(self, body: object, *, id: str | None = None, **headers: str) -> requests.Response:
        method, path = ("PUT", f"/predictions/{id}") if id else ("POST", "/predictions")
        return until_taken(
            lambda: requests.request(
                method, self.url + path, json=body, headers=headers, timeout=120
            )
        )

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = requests.get(f"{self.url}/health-check", timeout=60).json()
        return health


@dataclass
class Prediction:
    """A prediction's answer or webhook."""

    body: Mapping[str, Any]

    @property
    def status(self) -> str:
        return str(self.body["status"])

    @property
    def error(self) -> str:
        """The sentence, without the words that Cog puts before it."""
        return str(self.body["error"]).removeprefix("Prediction failed: Async prediction failed: ")

    @property
    def logs(self) -> list[str]:
        return str(self.body["logs"]).splitlines()

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(self.body["metrics"])

    @property
    def files(self) -> list[bytes]:
        assert self.status == "succeeded", self.body
        return [decoded(uri)[0] for uri in self.body["output"]]

    @property
    def media_types(self) -> list[str]:
        return [uri.partition(";")[0].removeprefix("data:") for uri in self.body["output"]]

    @property
    def images(self) -> list[Image.Image]:
        return [Image.open(io.BytesIO(file)) for file in self.files]

    @property
    def image(self) -> Image.Image:
        (image,) = self.images
        return image


def picture(format: str = "PNG", size: tuple[int, int] = (64, 48), color: str = "teal") -> bytes:
    """A small image file."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, format)
    return file.getvalue()
