"""deploy/kubernetes/api/ names what there is: settings, ports, paths, secrets, and one another."""

import importlib.util
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import generate_latest

from api import health, metrics
from api.roles import Role
from api.settings import PREFIX, Settings
from dev.servers import PROJECT, predictor_server

FOLDER = PROJECT / "deploy" / "kubernetes" / "api"
PAGE = PROJECT / "docs" / "scale.md"
STORES_OWN = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
SECRET = {"API_DATABASE_URL", "API_ENCRYPTION_KEYS", "API_TOKEN", "OPENAI_API_KEY"} | STORES_OWN
PORTS = {name: Settings.model_fields[name].default for name in ("port", "metrics_port")}
WORKER_PORT = Settings.model_fields["worker_port"].default
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (each["kind"], each["metadata"]["name"]): each
    for file in sorted(FOLDER.glob("*.yaml"))
    for each in yaml.safe_load_all(file.read_text())
}
PODS = {
    name: each["spec"]["template"]
    for (kind, name), each in OBJECTS.items()
    if kind in {"Deployment", "StatefulSet"}
}
CONFIGURED: dict[str, str] = OBJECTS["ConfigMap", "api"]["data"]


def containers(pod: str) -> dict[str, dict[str, Any]]:
    """Sidecars included."""
    spec = PODS[pod]["spec"]
    return {each["name"]: each for each in [*spec.get("initContainers", []), *spec["containers"]]}


ALL = [(pod, name) for pod in PODS for name in containers(pod)]
OURS = [("api", "api"), ("worker", "worker")]


def variables(pod: str, container: str) -> dict[str, Any]:
    """A variable's value, or where it comes from."""
    given = containers(pod)[container]["env"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in given}


def probes(pod: str, container: str) -> Iterator[dict[str, Any]]:
    for name, probe in containers(pod)[container].items():
        if name.endswith("Probe"):
            yield probe


@pytest.mark.parametrize(("pod", "container"), OURS)
def test_each_process_has_settings_that_there_are(pod: str, container: str) -> None:
    named = CONFIGURED.keys() | variables(pod, container).keys()
    ours = {name.removeprefix(PREFIX).lower() for name in named if name.startswith(PREFIX)}

    assert ours <= Settings.model_fields.keys()
    assert {"database_url", "files", "encryption_keys"} <= ours
    assert named >= STORES_OWN
    *_, role = containers(pod)[container]["args"]
    assert Role(role) is (Role.API if pod == "api" else Role.WORKER)


@pytest.mark.parametrize(("pod", "container"), ALL)
def test_no_secret_is_written_down(pod: str, container: str) -> None:
    given = variables(pod, container)

    assert not SECRET & CONFIGURED.keys()
    assert all("secretKeyRef" in given[name] for name in SECRET & given.keys())


def test_the_page_makes_every_secret_that_is_asked_for() -> None:
    made = dict(
        re.findall(
            r"kubectl create secret (?:generic|tls) ([\w-]+)((?:\\\n|[^\n])*)", PAGE.read_text()
        )
    )
    asked = [
        (source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
        for pod, container in ALL
        for source in variables(pod, container).values()
        if isinstance(source, dict) and "secretKeyRef" in source
    ]

    assert asked
    assert not [
        f"{name}: {key}"
        for name, key in asked
        if not re.search(rf"--from-file={key}\b", made.get(name, ""))
    ]
    (tls,) = OBJECTS["Ingress", "api"]["spec"]["tls"]
    assert tls["secretName"] in made


@pytest.mark.parametrize(("pod", "container"), OURS)
def test_ports_are_those_that_the_process_listens_on(pod: str, container: str) -> None:
    ports = {each["name"]: each["containerPort"] for each in containers(pod)[container]["ports"]}

    assert ports == {"http": PORTS["port"], "metrics": PORTS["metrics_port"]}
    # Without that Kubernetes would write another API_PORT into the environment.
    assert PODS[pod]["spec"]["enableServiceLinks"] is False
    paths = {route.path for route in health.router.routes if hasattr(route, "path")}
    for probe in probes(pod, container):
        assert probe["httpGet"]["path"] in paths
        assert probe["httpGet"]["port"] in ports


def test_an_api_without_workers_is_not_taken_away_from_its_callers() -> None:
    assert {each["httpGet"]["path"] for each in probes("api", "api")} == {"/health/live"}


def test_the_predictors_probes_run_what_its_image_has() -> None:
    for probe in probes("worker", "predictor"):
        python, flag, module, *_ = probe["exec"]["command"]
        assert (python, flag) == ("python", "-m")
        assert importlib.util.find_spec(module)


def test_a_worker_and_its_cog_server_mean_the_same() -> None:
    worker, cog = variables("worker", "worker"), variables("worker", "predictor")

    assert worker["API_COG_SLOTS"] == cog["COG_MAX_CONCURRENCY"]
    assert worker["API_COG_OUTPUT_DIRECTORY"] == cog["OUTPUT_DIRECTORY"]
    for container in ("worker", "predictor"):
        mounts = {
            each["mountPath"]: each for each in containers("worker")[container]["volumeMounts"]
        }
        assert mounts[cog["OUTPUT_DIRECTORY"]]["name"] == "outputs"
    upload = next(each for each in cog_arguments() if each.startswith("--upload-url="))
    assert upload == f"--upload-url=http://127.0.0.1:{WORKER_PORT}/outputs"
    assert "--host=127.0.0.1" in cog_arguments()


def cog_arguments() -> list[str]:
    arguments: list[str] = containers("worker")["predictor"]["args"]
    assert arguments[:3] == ["python", "-m", "cog.server.http"]
    return arguments[3:]


def test_a_worker_keeps_its_name_and_has_time_to_finish() -> None:
    name = variables("worker", "worker")["API_WORKER_NAME"]
    deadline = int(variables("worker", "predictor")["OPENAI_DEADLINE_SECONDS"])

    assert name == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert PODS["worker"]["spec"]["terminationGracePeriodSeconds"] >= deadline + 60


def test_the_cog_server_is_a_sidecar_that_ends_when_it_is_told_to() -> None:
    """It is told when the worker has ended; one that ignored it would take the whole grace."""
    sidecar = containers("worker")["predictor"]
    assert sidecar["restartPolicy"] == "Always"
    assert "lifecycle" not in sidecar

    arguments = [each for each in cog_arguments() if not each.startswith("--host=")]
    with predictor_server(arguments=arguments) as server:
        server.process.terminate()
        assert server.process.wait(30) == 0


@pytest.mark.parametrize(("pod", "container"), ALL)
def test_each_container_is_locked_down(pod: str, container: str) -> None:
    spec, own = PODS[pod]["spec"], containers(pod)[container]["securityContext"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65534
    assert spec["automountServiceAccountToken"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    mounts = containers(pod)[container]["volumeMounts"]
    assert {each["name"] for each in mounts} <= {each["name"] for each in spec["volumes"]}
    written = {each["mountPath"] for each in mounts if not each.get("readOnly")}
    assert {"/tmp"} | ({"/data"} if (pod, container) in OURS else set()) <= written  # noqa: S108


def test_whoever_points_at_pods_finds_them_and_their_ports() -> None:
    labels = {pod: each["metadata"]["labels"] for pod, each in PODS.items()}
    for (kind, name), each in OBJECTS.items():
        if kind == "Service":
            (pod,) = [
                pod for pod in PODS if labels[pod].items() >= each["spec"]["selector"].items()
            ]
            named = {port["name"] for port in containers(pod)[pod]["ports"]}
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= named, name
        elif kind == "PodDisruptionBudget":
            assert each["spec"]["selector"]["matchLabels"] in labels.values()
    assert OBJECTS["StatefulSet", "worker"]["spec"]["serviceName"] == "worker"
    (rule,) = OBJECTS["Ingress", "api"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    ports = OBJECTS["Service", backend["name"]]["spec"]["ports"]
    assert backend["port"]["name"] in {port["name"] for port in ports}
    assert CONFIGURED["API_PUBLIC_URL"] == f"https://{rule['host']}"


def test_keda_asks_for_a_number_that_the_api_tells() -> None:
    scaled = OBJECTS["ScaledObject", "worker"]["spec"]
    target = scaled["scaleTargetRef"]
    assert (target["kind"], target["name"]) in OBJECTS
    (trigger,) = scaled["triggers"]
    asked = urlsplit(trigger["metadata"]["url"])
    ports = OBJECTS["Service", str(asked.hostname).partition(".")[0]]["spec"]["ports"]

    assert asked.port in {port["port"] for port in ports if port["name"] == "metrics"}
    assert asked.path == "/metrics"
    told = generate_latest(metrics.SLOTS_WANTED).decode()
    assert f"# TYPE {trigger['metadata']['valueLocation']} gauge\n" in told
    slots = int(variables("worker", "worker")["API_COG_SLOTS"])
    assert int(trigger["metadata"]["targetValue"]) < slots
