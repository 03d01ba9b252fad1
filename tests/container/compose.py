"""deploy/compose.api.yaml by plain `docker run`s: what Compose would do, in its order."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import yaml

from dev.servers import PROJECT

from .commands import docker, docker_logs

FILE = PROJECT / "deploy" / "compose.api.yaml"
SHARED = "service:"
# Each key of a service is turned into these options, once for each of its values.
OPTIONS = {
    "user": "--user",
    "tmpfs": "--tmpfs",
    "cap_drop": "--cap-drop",
    "security_opt": "--security-opt",
    "mem_limit": "--memory",
    "restart": "--restart",
}
# Nothing that a run of the tests needs: what it does is tried elsewhere, or is Compose's own.
LEFT_OUT = {"depends_on", "ports", "pre_stop", "stop_grace_period", "healthcheck"}
READ_BY_HAND = {"image", "command", "network_mode", "environment", "volumes", "read_only"}


@dataclass(frozen=True)
class Project:
    """The services that run, each in a container of its name with this prefix."""

    prefix: str

    def container(self, service: str) -> str:
        return f"{self.prefix}-{service}"

    def run(self, service: str, *command: str) -> str:
        """What a command prints inside."""
        return docker("exec", self.container(service), *command)

    def log(self, service: str) -> str:
        return docker_logs(self.container(service))


def services() -> dict[str, Any]:
    """What the file says of each service."""
    return dict(yaml.safe_load(FILE.read_text())["services"])


@contextmanager
def up(
    images: Mapping[str, str], network: str, environment: Mapping[str, Mapping[str, str]]
) -> Iterator[Project]:
    """All services, on a network; `images` and `environment` take the place of the file's own."""
    project = Project(f"api-test-{os.getpid()}")
    found = services()
    order = list(TopologicalSorter({name: _needs(found[name]) for name in found}).static_order())
    try:
        # Compose makes all containers before it starts the first.
        for name in order:
            service = found[name] | {"environment": environment.get(name, {})}
            service["image"] = images[service["image"]]
            docker(
                "create", "--name", project.container(name), *_options(service, project, network)
            )
        for name in order:
            docker("start", project.container(name))
        yield project
    finally:
        for name in reversed(order):
            with suppress(AssertionError):
                docker("rm", "--force", "--volumes", project.container(name))
        for volume in yaml.safe_load(FILE.read_text())["volumes"]:
            with suppress(AssertionError):
                docker("volume", "rm", project.container(volume))


def _needs(service: Mapping[str, Any]) -> set[str]:
    shared = service.get("network_mode", "")
    joined = {shared.removeprefix(SHARED)} if shared.startswith(SHARED) else set()
    return joined | set(service.get("depends_on", []))


def _options(service: Mapping[str, Any], project: Project, network: str) -> list[str]:
    unknown = service.keys() - OPTIONS.keys() - LEFT_OUT - READ_BY_HAND
    assert not unknown, f"Nothing here knows what Compose makes of {unknown}"
    shared = service.get("network_mode", "")
    if shared.startswith(SHARED):
        network = "container:" + project.container(shared.removeprefix(SHARED))
    found = ["--network", network]
    if service.get("read_only"):
        found.append("--read-only")
    for key, option in OPTIONS.items():
        values = service.get(key, [])
        for value in values if isinstance(values, list) else [values]:
            found += [option, str(value)]
    for name, value in service["environment"].items():
        found += ["--env", f"{name}={value}"]
    for volume in service.get("volumes", []):
        found += ["--volume", project.container(volume)]
    return [*found, service["image"], *service.get("command", [])]
