"""What the sandbox tells a test: the requests that reached it, and its ledger."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests


@dataclass
class Recorded:
    """One request as it reached the sandbox."""

    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        return str(self.body["path"])

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name."""
        return {name.lower(): value for name, value in self.body["headers"]}

    @property
    def arguments(self) -> dict[str, Any]:
        """The JSON body, or the form's text fields."""
        if self.body["json"] is not None:
            return dict(self.body["json"])
        return {part["name"]: part["text"] for part in self.body["parts"] if not part["filename"]}

    @property
    def files(self) -> list[dict[str, Any]]:
        return [part for part in self.body["parts"] or [] if part["filename"]]


@dataclass
class Sandbox:
    root: str

    def forget(self) -> None:
        for kind in ("requests", "ledger"):
            requests.delete(f"{self.root}/sandbox/{kind}", timeout=60).raise_for_status()

    @property
    def requests(self) -> list[Recorded]:
        body = requests.get(f"{self.root}/sandbox/requests", timeout=60).json()
        assert body["recording"], "start the sandbox with SANDBOX_RECORD=true"
        return [Recorded(request) for request in body["requests"]]

    @property
    def request(self) -> Recorded:
        (request,) = self.requests
        return request

    @property
    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = requests.get(
            f"{self.root}/sandbox/ledger", timeout=60
        ).json()["entries"]
        return entries

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], within: float = 60) -> None:
        """Until some entry of the ledger meets the condition."""
        give_up = time.monotonic() + within
        while not any(condition(entry) for entry in self.ledger):
            assert time.monotonic() < give_up, self.ledger
            time.sleep(0.01)
