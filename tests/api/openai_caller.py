"""A caller of OpenAI's dialect who uses no client library, so that each byte is the test's."""

import base64
import io
import json
from dataclasses import dataclass, field
from typing import Any

import requests
from PIL import Image

MODEL = "gpt-image-2"


@dataclass
class OpenAICaller:
    url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def generate(
        self,
        prompt: str = "A lighthouse at dusk",
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        body = {"model": MODEL, "prompt": prompt} | more
        return self.post("generations", json=body, headers=headers)

    def edit(
        self, files: Any, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """An edit by a form; numbers become text, as in every form."""
        fields = {"model": MODEL, "prompt": "The same at night"} | more
        return self.post("edits", data=fields, files=files, headers=headers)

    def post(self, path: str, **request: Any) -> requests.Response:
        return self.session.post(f"{self.url}/v1/images/{path}", timeout=70, **request)

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=30)


def pictures(answer: requests.Response) -> list[Any]:
    """The pictures of an answer, from its base64."""
    assert answer.status_code == 200, answer.text
    contents = [base64.b64decode(each["b64_json"]) for each in answer.json()["data"]]
    return [Image.open(io.BytesIO(content)) for content in contents]


def events(answer: requests.Response) -> list[dict[str, Any]]:
    """The events of a stream, each of whose names is its data's type."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name, data = lines
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
    return found
