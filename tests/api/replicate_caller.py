"""A caller of Replicate's API who uses no client library, so that each byte is the test's."""

import time
from dataclasses import dataclass, field
from typing import Any

import requests

MODEL = "openai/gpt-image-2"
ENDS = {"succeeded", "failed", "canceled"}


@dataclass
class ReplicateCaller:
    url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def post(self, path: str, body: object = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}/v1/{path}"
        return self.session.post(url, json=body, headers=headers, timeout=70)

    def get(self, path: str, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}/v1/{path}"
        return self.session.get(url, headers=headers, timeout=70)

    def create(
        self, prompt: str = "A lighthouse at dusk", *, body: object = None, **headers: str
    ) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(
            f"models/{MODEL}/predictions", body or {"input": {"prompt": prompt}}, **named
        )

    def created(self, prompt: str = "A lighthouse at dusk", **members: object) -> dict[str, Any]:
        """A new prediction; `members` go into the body, beside the input."""
        inputs = members.pop("input", {})
        assert isinstance(inputs, dict)
        answer = self.create(body={"input": {"prompt": prompt} | inputs} | members)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def prediction(self, id: str) -> dict[str, Any]:
        answer = self.get(f"predictions/{id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, id: str, within: float = 60) -> dict[str, Any]:
        """The prediction once it has ended."""
        return self.once(id, *ENDS, within=within)

    def once(self, id: str, *statuses: str, within: float = 60) -> dict[str, Any]:
        """The prediction once it has one of the statuses."""
        give_up = time.monotonic() + within
        while time.monotonic() < give_up:
            prediction = self.prediction(id)
            if prediction["status"] in statuses:
                return prediction
            time.sleep(0.05)
        raise AssertionError(f"not {statuses} within {within} s: {prediction}")

    def cancel(self, id: str) -> dict[str, Any]:
        answer = self.post(f"predictions/{id}/cancel")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
