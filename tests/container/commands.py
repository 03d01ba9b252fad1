"""Run a command and have what it prints, or its own words when it fails."""

import ipaddress
import json
import os
import subprocess
from collections.abc import Mapping
from os import PathLike

from dev.servers import PROJECT

WITH_ERRORS = 'exec "$@" 2>&1'  # for sh: both outputs as one


def run(
    *command: str | PathLike[str],
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """The command's output, run in the project's folder with these variables added.

    Raises AssertionError with everything that the command printed when it fails.
    """
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=PROJECT, env=variables)
    output, errors = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode == 0, f"{command} failed:\n{output}\n{errors}"
    return output


def script(name: str, *arguments: str, **environment: str) -> str:
    """What one of the project's scripts prints."""
    return run(PROJECT / "scripts" / name, *arguments, environment=environment).strip()


def docker(*arguments: str) -> str:
    """What `docker ARGUMENTS` prints."""
    return run("docker", *arguments).strip()


def cog(*arguments: str | PathLike[str], **environment: str) -> str:
    """What the real `cog ARGUMENTS` prints, its progress included."""
    cli = PROJECT / "scripts" / "cog"
    return run("sh", "-c", WITH_ERRORS, "sh", cli, *arguments, environment=environment)


def docker_logs(container: str) -> str:
    """What a container has written to standard output and standard error."""
    return run("sh", "-c", WITH_ERRORS, "sh", "docker", "logs", container)


def gateway(network: str) -> str:
    """The address under which containers on this Docker network reach the host."""
    config = json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"][0]
    # Docker leaves it out for the default bridge, where it is the first address.
    return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))
