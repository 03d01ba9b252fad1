"""The three ways in which people use the product with Cog's own commands, as the README says."""

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from dev.servers import PROJECT, Server, sandbox_server

from .commands import cog, gateway, script
from .image import PLAIN, SLIM, Image, removed_afterwards

pytestmark = pytest.mark.container

REGISTRY = "github.com/google/go-containerregistry/cmd/registry"
PROMPT = ("--input", "prompt=a lighthouse", "--input", "quality=low")


@pytest.fixture(scope="module")
def sandbox(image: Image) -> Iterator[Server]:
    """Where containers reach it that Cog starts, which are on Docker's default network."""
    with sandbox_server(SANDBOX_HOST=gateway("bridge")) as server:
        yield server


@pytest.fixture
def registry(image: Image) -> Iterator[str]:
    """The address of an empty registry on loopback, which is gone after the test."""
    command = [script("go-tool", REGISTRY), "-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        started = re.search(r"serving on port (\d+)", server.stderr.readline())
        assert started
        yield f"localhost:{started[1]}"
        server.kill()


def test_cog_run_makes_a_picture_from_the_project(
    image: Image, sandbox: Server, tmp_path: Path
) -> None:
    upstream = f"OPENAI_PROXY_URL={sandbox.url}"
    with removed_afterwards(f"cog-{PROJECT.name}"):
        cog("run", SLIM, PLAIN, "--env", upstream, *PROMPT, "--output", tmp_path / "made.webp")
    with Picture.open(tmp_path / "made.0.webp") as made:
        assert made.size == (1024, 1024)


def test_cog_predict_edits_files_with_the_image(
    image: Image, sandbox: Server, tmp_path: Path
) -> None:
    files = []
    for colour in ("red", "blue"):
        Picture.new("RGB", (256, 256), colour).save(tmp_path / f"{colour}.png")
        files += ["--input", f"input_images=@{tmp_path / colour}.png"]
    inputs = [*PROMPT, *files, "--input", "output_format=png"]
    upstream = f"OPENAI_PROXY_URL={sandbox.url}"
    cog("predict", image.name, "--env", upstream, *inputs, "--output", tmp_path / "made.png")
    with Picture.open(tmp_path / "made.0.png") as made:
        assert made.format == "PNG"


def test_cog_push_puts_the_image_into_a_registry(image: Image, registry: str) -> None:
    name = f"{registry}/gpt-image-2-cog"
    with removed_afterwards(name):
        said = cog("push", SLIM, PLAIN, name)
    digest = re.search(r"gpt-image-2-cog@(sha256:\w+)", said)
    assert digest, said
    manifest = f"http://{registry}/v2/gpt-image-2-cog/manifests/{digest[1]}"
    with urllib.request.urlopen(manifest, timeout=10) as answer:
        assert answer.status == 200
