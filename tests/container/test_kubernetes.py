"""The commands in the Kubernetes manifests do in a container what they are there for."""

import json
import subprocess
import time
from typing import Any

import pytest
import yaml

from dev.servers import PROJECT, Server, sandbox_server

from .commands import docker, gateway
from .conftest import Start
from .container import Container
from .sink import sink

pytestmark = pytest.mark.container

MANIFESTS = PROJECT / "deploy" / "kubernetes"
PROBES = ("readinessProbe", "livenessProbe")
FILL_OUTPUTS = """
import os
with open("/tmp/filling", "wb") as file:
    free = os.statvfs("/tmp")
    os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 4096)
"""
DEADLINE = 4  # seconds; the slow sandbox takes two
KILL_WORKER = """
import os, pathlib, signal
for process in pathlib.Path("/proc").glob("[0-9]*"):
    if b"_run_worker" in (process / "cmdline").read_bytes() and int(process.name) != os.getpid():
        os.kill(int(process.name), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["gpt-image-2.yaml", "knative.yaml"])
def test_probes_fail_for_a_crashed_worker_and_readiness_for_a_full_disk(
    name: str, start: Start, network: str
) -> None:
    with (
        sandbox_server(SANDBOX_HOST=gateway(network), SANDBOX_REQUIRED_KEY="another") as sandbox,
        start(OPENAI_PROXY_URL=sandbox.url) as container,
    ):
        assert probe_results(name, container) == [0, 0]
        container.predict(prompt="x", quality="low")
        health = container.request("GET", "/health-check").json
        assert "KeyRejected" in health["user_healthcheck_error"]
        assert probe_results(name, container) == [0, 0]
        container.run("python", "-c", FILL_OUTPUTS)
        container.predict(prompt="x", quality="low")
        assert "MachineFault" in str(container.request("GET", "/health-check").json)
        assert probe_results(name, container) == [1, 0]
        container.run("python", "-c", KILL_WORKER)
        time.sleep(0.5)
        assert container.request("GET", "/health-check").status == 200
        assert probe_results(name, container) == [1, 1]


def test_pre_stop_hook_lets_an_asynchronous_prediction_send_its_webhook(
    start: Start, slow_sandbox: Server, network: str
) -> None:
    manifest = predictor("gpt-image-2.yaml")
    hook = manifest["lifecycle"]["preStop"]["exec"]["command"]
    upstream = {"OPENAI_PROXY_URL": slow_sandbox.url, "OPENAI_DEADLINE_SECONDS": str(DEADLINE)}
    with (
        sink(gateway(network)) as (url, received),
        start((), manifest["args"], **upstream) as container,
    ):
        body = {"input": {"prompt": "x"}, "webhook": url, "webhook_events_filter": ["completed"]}
        accepted = container.request("POST", "/predictions", body, Prefer="respond-async")
        assert accepted.status == 202
        # Kubernetes sends it after the hook; coming early it must do no harm.
        docker("kill", "--signal", "TERM", container.name)
        container.run(*hook)
        assert int(docker("wait", container.name)) == 0
    assert [json.loads(each.body)["status"] for each in received] == ["succeeded"]


def predictor(name: str) -> dict[str, Any]:
    """The predictor's container in a manifest."""
    first = next(yaml.safe_load_all((MANIFESTS / name).read_text()))
    return dict(first["spec"]["template"]["spec"]["containers"][0])


def probe_results(name: str, container: Container) -> list[int]:
    """The exit codes of the probes in a manifest."""
    manifest = predictor(name)
    commands = [manifest[probe]["exec"]["command"] for probe in PROBES]
    inside = ["docker", "exec", container.name]
    return [subprocess.run([*inside, *each], capture_output=True).returncode for each in commands]
