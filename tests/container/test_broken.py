"""A container that cannot predict says why, and ends where docs/deploy.md says that it does."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from .commands import docker, docker_logs
from .container import HARDENED, READY_WITHIN, TMP
from .image import Image

pytestmark = pytest.mark.container

# As in docs/deploy.md, but for the interval.
CHECK = "python -m gpt_image.container.health --end 1"
CHECKED = ("--health-cmd", CHECK, "--health-interval", "1s")
INTERRUPTED = 130  # what Docker makes of the end by SIGINT
NO_TMP = [option for option in HARDENED if option not in TMP]


@contextmanager
def started(image: Image, options: Sequence[str], *variables: str) -> Iterator[str]:
    name = docker("run", "--detach", "--network", "none", *options, *variables, image.name)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def ended_with(name: str) -> tuple[int, str]:
    """The exit code, and the last log; fails if it goes on."""
    give_up = time.monotonic() + READY_WITHIN
    while time.monotonic() < give_up:
        state = json.loads(docker("inspect", name))[0]["State"]
        if state["Status"] == "exited":
            return int(state["ExitCode"]), docker_logs(name)
        time.sleep(0.2)
    raise AssertionError(f"It goes on.\n{docker_logs(name)}")


def test_a_wrong_setting_ends_the_container_with_its_sentence(image: Image) -> None:
    with started(image, [*HARDENED, *CHECKED], "--env", "OPENAI_PROXY_URL=gateway") as name:
        code, log = ended_with(name)
    assert code == INTERRUPTED
    assert "OPENAI_PROXY_URL: must be a URL such as https://gateway.example/v1" in log


def test_without_a_temporary_directory_it_ends_with_that_reason(image: Image) -> None:
    with started(image, [*NO_TMP, *CHECKED]) as name:
        code, log = ended_with(name)
    assert code == INTERRUPTED
    assert "No usable temporary directory found" in log
