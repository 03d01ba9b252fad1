"""A container of the product's image, locked down as docs/deploy.md recommends."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from .commands import docker, docker_logs

TMP = ("--tmpfs", "/tmp:size=256m")  # noqa: S108 - the container's own
HARDENED = (
    *("--user", "65534:65534", "--read-only", *TMP),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "512m", "--pids-limit", "128"),
)
PORT = 5000
READY_WITHIN = 30.0  # seconds
PREDICTION_WITHIN = 60.0  # seconds
DRAIN_WITHIN = 30  # seconds before Docker kills


@dataclass(frozen=True)
class Answer:
    """What a request got: the status, and the body as it came."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Container:
    """One that is READY at `address`, `ready_after` seconds after `docker run`."""

    name: str
    address: str
    ready_after: float

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return _request(self.address, method, path, body, **headers)

    def predict(self, **inputs: object) -> dict[str, Any]:
        """A synchronous prediction, as its caller sees it."""
        answer = self.request("POST", "/predictions", {"input": inputs})
        assert answer.status == 200, answer
        return dict(answer.json)

    def run(self, *command: str) -> str:
        """What a command prints inside."""
        return docker("exec", self.name, *command)

    def inspect(self) -> dict[str, Any]:
        return dict(json.loads(docker("inspect", self.name))[0])

    def log(self) -> str:
        return docker_logs(self.name)

    def stop(self) -> int:
        """Send SIGTERM and wait; the exit code."""
        docker("stop", "--time", str(DRAIN_WITHIN), self.name)
        return int(self.inspect()["State"]["ExitCode"])


@contextmanager
def running(
    image: str,
    network: str,
    options: Sequence[str] = (),
    command: Sequence[str] = (),
    **environment: str,
) -> Iterator[Container]:
    """A hardened container until the block ends; AssertionError with its log if never READY."""
    variables = [part for name in environment for part in ("--env", f"{name}={environment[name]}")]
    started = time.monotonic()
    name = docker(
        "run", "--detach", "--network", network, *HARDENED, *options, *variables, image, *command
    )
    try:
        networks = json.loads(docker("inspect", name))[0]["NetworkSettings"]["Networks"]
        address = networks[network]["IPAddress"]
        _wait_until_ready(name, address, started + READY_WITHIN)
        yield Container(name, address, time.monotonic() - started)
    finally:
        docker("rm", "--force", name)


def _wait_until_ready(name: str, address: str, give_up: float) -> None:
    health: Any = "no answer"
    while time.monotonic() < give_up:
        with suppress(OSError):
            health = _request(address, "GET", "/health-check", None).json
            if health["status"] == "READY":
                return
            if health["status"] == "SETUP_FAILED":
                break
        time.sleep(0.02)
    raise AssertionError(f"The container is not READY: {health}\n{docker_logs(name)}")


def _request(address: str, method: str, path: str, body: object, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(address, PORT, timeout=PREDICTION_WITHIN)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()
