"""The API's image: what is in it, and what it does before the predictor, as in deploy/."""

import base64
import io
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pytest
import requests
from PIL import Image as Picture

from dev.servers import PROJECT, Server
from tests.support.sandbox_client import Sandbox

from .commands import docker, docker_logs, run
from .compose import Project, services, up
from .conftest import OPERATORS_KEY
from .container import HARDENED
from .files import COMPILERS, files_of, layers_of, normal, pinned
from .image import Image, removed_afterwards, size_of

pytestmark = pytest.mark.container

TAG = "gpt-image-2-api:container-test"
DOCKERFILE = PROJECT / "deploy" / "api.Dockerfile"
MEGABYTES_ON_TOP_OF_THE_BASE = 170  # Pillow and its like are 20 of them, for pictures on the page
READY_WITHIN = 60.0  # seconds
PREDICTIONS = "/v1/models/openai/gpt-image-2/predictions"


@pytest.fixture(scope="module")
def api_image(image: Image) -> Iterator[str]:
    """Built as docs/deploy.md says, while the base of the other image is there."""
    with removed_afterwards(TAG):
        run("docker", "build", "--file", DOCKERFILE, "--tag", TAG, PROJECT / "api")
        yield TAG


@pytest.fixture(scope="module")
def files(api_image: str) -> list[str]:
    return files_of(api_image)


def test_starts_from_the_base_of_the_other_image(image: Image, api_image: str) -> None:
    assert f"ARG PYTHON={image.base}\n" in DOCKERFILE.read_text()
    labels = config(api_image)["Labels"]
    assert labels["org.opencontainers.image.base.name"] == image.base
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_its_own_user_is_not_root_and_its_data_is_a_volume(api_image: str) -> None:
    assert config(api_image)["User"] == "65534:65534"
    assert config(api_image)["Volumes"] == {"/data": {}}


def config(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", image))[0]["Config"])


def test_is_small(image: Image, api_image: str, figure: Callable[[str], None]) -> None:
    added = (size_of(api_image) - image.base_size) / 1e6
    figure(
        f"API's image: {size_of(api_image) / 1e6:.0f} MB, {added:.0f} MB of it on top of the base"
    )
    assert added < MEGABYTES_ON_TOP_OF_THE_BASE


def test_holds_the_api_and_nothing_else_of_the_project(files: list[str]) -> None:
    sources = {name for name in files if name.startswith("srv/") and name.endswith(".py")}
    assert sources == {f"srv/{path.relative_to(PROJECT)}" for path in PROJECT.glob("api/**/*.py")}
    strangers = ("gpt_image", "predict.py", "sandbox", "openai", "cog", "coglet")
    others = [name.split("/") for name in files if not name.startswith("srv/api/")]
    assert not [name for name in others if set(name) & set(strangers)]


def test_holds_no_compiler_and_no_cache(files: list[str]) -> None:
    assert [name for name in files if COMPILERS.search(name)] == []
    assert [name for name in files if ".cache/" in name or name.startswith("tmp/")] == []


def test_every_installed_version_is_pinned(api_image: str) -> None:
    command = ["python", "-m", "pip", "freeze"]
    installed = docker("run", "--rm", "--network", "none", api_image, *command).splitlines()
    assert set(map(normal, installed)) <= pinned("api/requirements.txt")


@contextmanager
def alone(image: str, *options: str) -> Iterator[str]:
    """The API by itself, locked down, without a volume of its own making."""
    name = docker("run", "--detach", "--network", "none", *HARDENED, *options, image)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def test_its_health_check_follows_the_port(api_image: str) -> None:
    with alone(api_image, "--env", "API_PORT=9000", "--health-interval", "1s") as name:
        wait_for(lambda: health(name) == "healthy", name)


def test_a_wrong_setting_ends_it_with_a_sentence(api_image: str) -> None:
    with alone(api_image, "--env", "API_COG_URL=gateway") as name:
        assert docker("wait", name) == "2"
        said = docker_logs(name)
    assert "API_COG_URL: must be a URL such as" in said
    assert "Traceback" not in said


def health(container: str) -> str:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container)


def wait_for(so: Callable[[], bool], *containers: str) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while not so():
        if time.monotonic() > give_up:
            pytest.fail("\n".join(docker_logs(name) for name in containers))
        time.sleep(0.1)


# --- before the predictor, as in deploy/compose.api.yaml


class Deployed:
    """The API in its container, as a caller on this machine sees it."""

    def __init__(self, project: Project, network: str) -> None:
        self.project = project
        holder = json.loads(docker("inspect", project.container("loopback")))[0]
        self.host = holder["NetworkSettings"]["Networks"][network]["IPAddress"]

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"http://{self.host}:8000{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, url, headers=headers, timeout=70, **options)

    @cached_property
    def token(self) -> str:
        """The token of its first start, read as docs/deploy.md says."""
        return self.project.run("api", "cat", "/data/token")

    def is_ready(self) -> bool:
        try:
            return requests.get(f"http://{self.host}:8000/health/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def create(self, **inputs: object) -> str:
        answer = self.ask("POST", PREDICTIONS, json={"input": inputs})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def wait_until_drawn(self, prediction: str) -> None:
        """Until Cog works on it; the sandbox then takes two seconds over the picture."""
        path = f"/v1/predictions/{prediction}"
        wait_for(lambda: self.ask("GET", path).json()["status"] == "processing")
        time.sleep(0.5)

    def ended(self, prediction: str) -> dict[str, Any]:
        """The prediction once it has ended."""
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.ask("GET", f"/v1/predictions/{prediction}").json())
            return found["status"] in {"succeeded", "failed", "canceled"}

        wait_for(has_ended, self.project.container("api"), self.project.container("predictor"))
        return found


@pytest.fixture
def deployed(
    image: Image, api_image: str, network: str, slow_sandbox: Server
) -> Iterator[Deployed]:
    """The file's services, with the sandbox as OpenAI."""
    environment = {name: dict(each.get("environment", {})) for name, each in services().items()}
    environment["predictor"] |= {
        "OPENAI_API_KEY": OPERATORS_KEY,
        "OPENAI_BASE_URL": slow_sandbox.url,
    }
    environment["api"]["API_PUBLIC_URL"] = ""
    images = {"gpt-image-2": image.name, "gpt-image-2-api": api_image}
    with up(images, network, environment) as project:
        found = Deployed(project, network)
        wait_for(found.is_ready, project.container("api"), project.container("predictor"))
        yield found


def pictures(prediction: dict[str, Any]) -> list[tuple[str | None, tuple[int, int]]]:
    assert prediction["status"] == "succeeded", prediction
    data = [base64.b64decode(uri.partition(",")[2]) for uri in prediction["output"]]
    opened = [Picture.open(io.BytesIO(each)) for each in data]
    return [(each.format, each.size) for each in opened]


def test_a_prediction_goes_through_both_containers(
    deployed: Deployed, figure: Callable[[str], None]
) -> None:
    made = deployed.ended(deployed.create(prompt="a lighthouse", quality="low", number_of_images=2))
    assert pictures(made) == [("WEBP", (1024, 1024))] * 2

    used = docker(
        "stats", "--no-stream", "--format", "{{.MemUsage}}", deployed.project.container("api")
    )
    figure(f"API's memory after one prediction: {used.partition(' /')[0]}")


def test_both_run_locked_down_and_cogs_port_is_private(deployed: Deployed) -> None:
    for service in ("api", "predictor", "loopback"):
        container = json.loads(docker("inspect", deployed.project.container(service)))[0]
        host = container["HostConfig"]
        assert container["Config"]["User"] == "65534:65534"
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
    status = deployed.project.run("api", "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    for private in (5000, 8001):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://{deployed.host}:{private}/", timeout=5)


def test_what_was_paid_is_kept_when_both_are_killed(
    deployed: Deployed, slow_sandbox: Server
) -> None:
    """The API first, while the picture is drawn; the predictor once it lies in its directory."""
    paid = len(Sandbox(slow_sandbox.root).ledger)
    prediction = deployed.create(prompt="x", quality="low")
    deployed.wait_until_drawn(prediction)
    docker("kill", deployed.project.container("api"))
    look = ["sh", "-c", "ls -d /outputs/*/*.webp"]
    wait_for(lambda: _succeeds(deployed.project.container("predictor"), *look))
    docker("kill", deployed.project.container("predictor"))
    docker("start", deployed.project.container("predictor"), deployed.project.container("api"))
    wait_for(deployed.is_ready, deployed.project.container("api"))
    assert pictures(deployed.ended(prediction)) == [("WEBP", (1024, 1024))]
    assert len(Sandbox(slow_sandbox.root).ledger) == paid + 1


def test_an_api_that_starts_anew_finishes_what_runs(deployed: Deployed) -> None:
    """The network that it shares with the predictor outlives it."""
    prediction = deployed.create(prompt="x", quality="low")
    deployed.wait_until_drawn(prediction)
    docker("restart", deployed.project.container("api"))
    wait_for(deployed.is_ready, deployed.project.container("api"))
    assert pictures(deployed.ended(prediction)) == [("WEBP", (1024, 1024))]


def _succeeds(container: str, *command: str) -> bool:
    return (
        subprocess.run(["docker", "exec", container, *command], capture_output=True).returncode == 0
    )


def test_no_key_and_no_token_stays_behind(deployed: Deployed, api_image: str) -> None:
    """Not in a layer, the log or the data; a caller's own key is seen by the predictor alone."""
    callers = "test-key-of-the-caller-0123456789"
    own_key = deployed.ended(deployed.create(prompt="x", openai_api_key=callers))
    deployed.ended(deployed.create(prompt="x", quality="low"))
    project = deployed.project
    kept = project.run("api", "python", "-c", _READ_ALL)
    places = {
        "log": project.log("api"),
        "predictor's log": project.log("predictor"),
        "data": base64.b64decode(kept).decode("latin-1"),
        "inspect": docker("inspect", project.container("api"), api_image),
        "history": docker("history", "--no-trunc", api_image),
        "answers": json.dumps(own_key),
    }
    secrets = [callers, OPERATORS_KEY, deployed.token]
    assert not {place for place, text in places.items() for each in secrets if each in text}
    assert not any(each.encode() in data for data in layers_of(api_image) for each in secrets)


_READ_ALL = """
import base64, pathlib
files = [file for file in pathlib.Path("/data").rglob("*") if file.is_file()]
data = b"".join(file.read_bytes() for file in files if file.name != "token")
print(base64.b64encode(data).decode())
"""
