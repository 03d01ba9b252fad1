"""A caller of Runware's API who uses no client library, so that each byte is the test's."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from websockets.sync.client import ClientConnection, connect

Item = dict[str, Any]


def inference(prompt: str = "A lighthouse at dusk", **more: Any) -> Item:
    """A task `imageInference` with a new taskUUID; None leaves a member out."""
    task = {
        "taskType": "imageInference",
        "taskUUID": str(uuid4()),
        "model": "openai:gpt-image@2",
        "positivePrompt": prompt,
        "width": 1024,
        "height": 1024,
    }
    return {name: value for name, value in (task | more).items() if value is not None}


def task(kind: str, **more: Any) -> Item:
    """Any other task."""
    return {"taskType": kind, "taskUUID": str(uuid4())} | more


@dataclass
class RunwareCaller:
    url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def post(self, *tasks: object, path: str = "/v1") -> requests.Response:
        return self.session.post(f"{self.url}{path}", json=list(tasks), timeout=70)

    def items(self, *tasks: object) -> list[Item]:
        """The data of an answer without errors."""
        answer = self.post(*tasks)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        return list(answer.json()["data"])

    def error(self, *tasks: object) -> Item:
        """The first error of an answer that has nothing else."""
        answer = self.post(*tasks)
        assert answer.status_code >= 400, answer.text
        body = answer.json()
        assert "data" not in body
        assert body["error"] == body["errors"][0]
        return dict(body["error"]) | {"status": answer.status_code}

    def response(self, task_uuid: str) -> dict[str, Any]:
        """What getResponse answers, errors as well."""
        return dict(self.post({"taskType": "getResponse", "taskUUID": task_uuid}).json())

    def ended(self, task_uuid: str, within: float = 60) -> dict[str, Any]:
        """The same, once nothing of the task is on its way."""
        give_up = time.monotonic() + within
        while True:
            answer = self.response(task_uuid)
            if not any(item["status"] == "processing" for item in answer.get("data", [])):
                return answer
            assert time.monotonic() < give_up, answer
            time.sleep(0.05)

    def picture(self, item: Item) -> bytes:
        """What is at an imageURL, without a token."""
        answer = requests.get(item["imageURL"], timeout=20)
        assert answer.status_code == 200
        return answer.content

    @contextmanager
    def socket(self, query: str = "") -> Iterator["Socket"]:
        """An authenticated WebSocket."""
        with self.stranger(query) as socket:
            socket.send({"taskType": "authentication", "apiKey": self.token})
            (answer,) = socket.frame()["data"]
            assert answer["connectionSessionUUID"]
            yield socket

    @contextmanager
    def stranger(self, query: str = "") -> Iterator["Socket"]:
        """A WebSocket without a key."""
        url = self.url.replace("http", "ws", 1) + f"/v1{query}"
        with connect(url, max_size=None, proxy=None) as connection:
            yield Socket(connection)


@dataclass
class Socket:
    connection: ClientConnection

    def send(self, *tasks: object) -> None:
        self.connection.send(json.dumps(list(tasks)))

    def frame(self, within: float = 60) -> dict[str, Any]:
        """The next one."""
        return dict(json.loads(self.connection.recv(within)))

    def frames(self, count: int) -> list[dict[str, Any]]:
        return [self.frame() for _ in range(count)]
