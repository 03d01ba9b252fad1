"""core.today's dialect, by curl with the request of its own page."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.replicate_caller import ReplicateCaller
from tests.support.cog_client import data_uri, picture
from tests.support.sandbox_client import Sandbox

EXAMPLE = {  # of core.today's page of this model
    "model": "openai/gpt-image-2",
    "input": {
        "aspect_ratio": "3:2",
        "number_of_images": 1,
        "output_format": "webp",
        "output_compression": 90,
        "background": "auto",
        "prompt": (
            "A photorealistic close-up portrait of an elderly Japanese ceramicist with deep "
            "wrinkles and a warm smile, carefully inspecting a freshly glazed tea bowl in his "
            "rustic sun-drenched workshop. Soft golden hour light streams through a window."
        ),
        "quality": "high",
    },
}
KEYS = {"job_id", "status", "provider", "model", "created_at", "result", "error"}


@dataclass
class Curl:
    url: str
    token: str

    def __call__(self, method: str, path: str = "", body: object = None) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        command = ["curl", "-sS", "-X", method, f"{self.url}/v1/predictions{path}"]
        command += ["-H", f"X-API-Key: {self.token}", "-w", "\n%{http_code}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        content, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(content)

    def job(self, **inputs: object) -> dict[str, Any]:
        """A new job of the page's example, with other inputs."""
        status, job = self("POST", body=EXAMPLE | {"input": EXAMPLE["input"] | inputs})  # type: ignore[operator]
        assert status == 201, job
        return dict(job)

    def ended(self, job: dict[str, Any], within: float = 60) -> dict[str, Any]:
        give_up = time.monotonic() + within
        while time.monotonic() < give_up:
            status, job = self("GET", f"/{job['job_id']}")
            assert status == 200
            if job["status"] in {"completed", "failed", "cancelled"}:
                return job
            time.sleep(0.1)
        raise AssertionError(job)


@pytest.fixture
def curl(api: Api, sandbox: Sandbox) -> Curl:
    return Curl(api.url, api.token)


def test_the_example_of_the_page_ends_with_the_address_of_a_picture(
    curl: Curl, sandbox: Sandbox, tmp_path: Path
) -> None:
    job = curl.job()
    assert job.keys() == KEYS
    assert (job["status"], job["result"], job["error"]) == ("pending", None, None)
    assert job["model"] == EXAMPLE["model"]
    assert len(job["created_at"]) == len("2026-01-01T00:00:00Z")

    (url,) = curl.ended(job)["result"]

    saved = tmp_path / "picture.webp"
    subprocess.run(["curl", "-sS", "-o", saved, url], check=True, timeout=20)
    assert saved.read_bytes()[8:12] == b"WEBP"
    asked = sandbox.request.arguments
    assert (asked["size"], asked["quality"]) == ("1536x1024", "high")


def test_input_images_are_edited(curl: Curl, sandbox: Sandbox) -> None:
    ended = curl.ended(curl.job(input_images=[data_uri(picture())]))

    assert ended["status"] == "completed"
    assert len(sandbox.request.files) == 1


def test_a_failure_is_told_in_one_sentence(curl: Curl) -> None:
    ended = curl.ended(curl.job(prompt="A fox [sandbox:moderation]"))

    assert ended["status"] == "failed"
    assert ended["result"] is None
    assert "moderation" in ended["error"].lower()


def test_a_job_is_cancelled_and_an_ended_one_stays(curl: Curl) -> None:
    job = curl.job(prompt="A fox [sandbox:slow seconds=20]")

    assert curl("DELETE", f"/{job['job_id']}")[0] == 200
    cancelled = curl.ended(job)
    assert cancelled["status"] == "cancelled"
    assert curl("DELETE", f"/{job['job_id']}") == (200, cancelled)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"aspect_ratio": "16:9"}, "2:3"),
        ({"number_of_images": 2}, "1"),
        ({"background": "transparent"}, "opaque"),
        ({"quality": "best"}, "high"),
        ({"colour": "red"}, "aspect_ratio"),
        ({"prompt": 7}, "string"),
        ({"input_images": ["not an address"]}, "uri"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_the_page_does_not_offer_is_refused(
    curl: Curl, sandbox: Sandbox, inputs: dict[str, Any], said: str
) -> None:
    status, told = curl(
        "POST",
        body=EXAMPLE | {"input": EXAMPLE["input"] | inputs},  # type: ignore[operator]
    )

    assert status == 422
    assert said in told["detail"]
    assert told["error"] == told["detail"]
    assert sandbox.requests == []


def test_strangers_and_other_tenants_see_nothing(curl: Curl, api: Api) -> None:
    job = curl.job(prompt="Private")
    other = Curl(api.url, token_for(api, "another"))

    assert Curl(api.url, "sk-wrong")("GET", f"/{job['job_id']}")[0] == 401
    assert other("GET", f"/{job['job_id']}")[0] == 404
    assert other("DELETE", f"/{job['job_id']}")[0] == 404
    assert curl("POST", body=EXAMPLE | {"model": "openai/another"})[0] == 404
    assert curl("GET")[0] == 405
    curl.ended(job)


def test_replicates_path_with_replicates_token_is_replicates(curl: Curl, api: Api) -> None:
    job = curl.ended(curl.job(prompt="Two names for one"))

    found = ReplicateCaller(api.url, api.token).prediction(job["job_id"])
    assert found["id"] == job["job_id"]
    assert found["status"] == "succeeded"
