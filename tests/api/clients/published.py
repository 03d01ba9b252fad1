"""Runs what a user would write, with a published client, in a process of its own."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from dev.servers.environments import CACHE, environment

HERE = Path(__file__).parent
MODEL = "openai/gpt-image-2"
_WITHIN = 120  # seconds
_TOLD = "told: "
_OLDEST_NODE = 20  # with which the AI SDK 7 was seen to work, though it asks for 22
_WANTED_NODE = f"install Node.js {_OLDEST_NODE} or newer with npm"

_PYTHON = f"""
import json, os, sys
import {{package}}

given = json.loads(os.environ["GIVEN"])

def tell(value):
    print({_TOLD!r} + json.dumps(value))
"""

_JAVASCRIPT = f"""
import fs from "node:fs";

const env = process.env;
const given = JSON.parse(env.GIVEN);
const tell = (value) => console.log({_TOLD!r} + JSON.stringify(value));
"""


@dataclass(frozen=True)
class Server:
    """What a client is told of the API."""

    url: str
    """Without /v1."""
    token: str
    trusted: Path | None = None
    """Certificates that are trusted besides the usual ones."""


@dataclass(frozen=True)
class Client:
    """A published client. `run` runs a program and returns what it tells."""

    command: Callable[[str], list[str]]
    base_path: str
    folder: Path
    prelude: str

    def run(self, program: str, server: Server, **given: Any) -> Any:
        """`program` finds `given` under that name, and gives its results to `tell`."""
        environment = _bare_environment() | {
            "GIVEN": json.dumps(given),
            "REPLICATE_API_TOKEN": server.token,
            "REPLICATE_BASE_URL": server.url + self.base_path,
            "REPLICATE_POLL_INTERVAL": "0.1",
            "OPENAI_API_KEY": server.token,
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "AIML_API_KEY": server.token,
            "AIML_API_BASE": server.url,
        }
        if server.trusted:
            trusted = str(server.trusted)
            environment |= {"SSL_CERT_FILE": trusted, "NODE_EXTRA_CA_CERTS": trusted}
        done = subprocess.run(
            self.command(self.prelude + dedent(program)),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_WITHIN,
        )
        told = [line for line in done.stdout.splitlines() if line.startswith(_TOLD)]
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(told) == 1, done.stdout + done.stderr
        return json.loads(told[0].removeprefix(_TOLD))


def python_client(
    name: str, base_path: str, package: str = "replicate", requirements: Path | None = None
) -> Client:
    """A client for Python; the environment is made at its first use."""
    python = environment(name, requirements or HERE / f"{name}.txt") / "bin" / "python"
    prelude = _PYTHON.format(package=package)
    return Client(lambda program: [str(python), "-c", program], base_path, CACHE, prelude)


def javascript_clients(name: str = "javascript") -> Client:
    """Those for JavaScript of a folder of that name; skips where there is no Node.js."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on the PATH; {_WANTED_NODE}")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.strip("v\n").split(".")[0]) < _OLDEST_NODE:
        pytest.skip(f"node is too old; {_WANTED_NODE}")
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may start at the same moment
        wanted = (HERE / name / "package-lock.json").read_text()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(install, cwd=folder, check=True, stdout=sys.stderr)
            # Last, so that an install that was cut short is done again.
            stamp.write_text(wanted)
    # From standard input or --eval, imports are looked up in the folder where node runs.
    return Client(
        lambda program: ["node", "--input-type=module", "--eval", program],
        "/v1",
        folder,
        _JAVASCRIPT,
    )


def _bare_environment() -> dict[str, str]:
    """No token, no proxy and no base URL of the developer's own."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}
