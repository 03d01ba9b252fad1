"""Each sample is a request that works as it is, and gives what it promises."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from dev.request import from_flags
from dev.samples import EXTENDED_REQUESTS, REQUESTS, with_data_uris
from dev.servers import EXACT, EXTENDED, PROJECT, Server, predictor_server
from gpt_image.request import SIZES
from tests.support.cog_client import Cog, Prediction
from tests.support.sandbox_client import Sandbox

SAMPLES = PROJECT / "samples"
CONTRACT = json.loads((PROJECT / "tests/predictor/contract/input.json").read_text())["properties"]
DEFAULTS = {name: schema.get("default") for name, schema in CONTRACT.items()}
EVERY_REQUEST = REQUESTS | EXTENDED_REQUESTS
FILES = sorted(SAMPLES.glob("*.json"))


def inputs_of(file: Path) -> dict[str, Any]:
    inputs: dict[str, Any] = json.loads(file.read_text())
    return inputs


def flags_of(name: str) -> list[str]:
    """The values of `-i` in the README's line for a sample, as a shell would pass them."""
    text = (SAMPLES / "README.md").read_text()
    found = re.search(rf"\*\*{name}\*\*.*?```sh\ncog run (.*?)\n```", text, re.DOTALL)
    assert found, f"samples/README.md has no line for {name}"
    script = f'for flag in {found[1].replace("-i ", "")}; do printf "%s\\0" "$flag"; done'
    printed = subprocess.run(["bash", "-c", script], cwd=SAMPLES, capture_output=True, check=True)
    return printed.stdout.decode().split("\0")[:-1]


def test_there_is_a_file_for_each_feature() -> None:
    assert len(FILES) >= 9
    assert {file.stem for file in FILES} == set(REQUESTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_posted_unchanged_gives_what_it_promises(
    cog: Cog, sandbox: Sandbox, file: Path
) -> None:
    answer = requests.post(
        f"{cog.url}/predictions",
        data=b'{"input":%b}' % file.read_bytes(),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    prediction = Prediction(answer.json())

    inputs = inputs_of(file)
    size = SIZES[inputs.get("aspect_ratio", "1:1")]
    assert len(prediction.images) == inputs.get("number_of_images", 1)
    for image in prediction.images:
        assert (image.format or "").lower() == inputs.get("output_format", "webp")
        assert size in {"auto", f"{image.width}x{image.height}"}
        if inputs.get("background") == "transparent":
            assert image.convert("RGBA").getchannel("A").getextrema() == (0, 255)
    assert len(sandbox.request.files) == len(inputs.get("input_images", []))


@pytest.mark.quick
def test_the_example_of_replicates_page_logs_what_replicate_logs(
    cog: Cog, sandbox: Sandbox
) -> None:
    inputs = inputs_of(SAMPLES / "spotify-playlist.json") | {"quality": "medium"}
    prediction = cog.send({"input": inputs})

    assert prediction.image.size == (1536, 1024)
    assert prediction.image.format == "WEBP"
    assert [line.partition(":")[0].partition(" in ")[0] for line in prediction.logs] == [
        "Model check completed. Model",
        "Generating image...",
        "Generated image",
        "Generated 1 images",
        "Input text token count",
        "Input image token count",
        "Output token count",
    ]
    assert prediction.logs[-1] == "Output token count: 1372"


def test_the_extended_samples_give_what_they_promise(sandbox_process: Server) -> None:
    with predictor_server(contract=EXTENDED, OPENAI_PROXY_URL=sandbox_process.url) as server:
        cog = Cog(server.url)
        made = {
            name: cog.send({"input": inputs_of(SAMPLES / "extended" / f"{name}.json")})
            for name in EXTENDED_REQUESTS
        }

    assert made["masked-edit"].image.size == (1024, 1024)
    assert made["free-size"].image.size == (1920, 640)
    assert made["svg-drawing"].files[0].startswith(b"<svg ")


@pytest.mark.parametrize("name", EVERY_REQUEST)
def test_a_file_is_what_make_samples_writes(name: str) -> None:
    folder = SAMPLES if name in REQUESTS else SAMPLES / "extended"
    assert inputs_of(folder / f"{name}.json") == with_data_uris(EVERY_REQUEST[name])


@pytest.mark.parametrize("name", EVERY_REQUEST)
def test_the_readmes_line_sends_the_same_inputs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)
    written = with_data_uris(EVERY_REQUEST[name]).items()
    contract = EXACT if name in REQUESTS else EXTENDED
    given = {k: v for k, v in written if v != DEFAULTS.get(k)}
    assert from_flags(flags_of(name), contract) == given


@pytest.mark.parametrize("name", EVERY_REQUEST)
def test_no_line_has_a_single_file_which_cog_would_not_take_for_a_list(name: str) -> None:
    flags = [flag for flag in flags_of(name) if flag.startswith("input_images=@")]
    assert len(flags) != 1


def test_the_readmes_curl_line_works_as_it_stands(cog: Cog, tmp_path: Path) -> None:
    text = (SAMPLES / "README.md").read_text()
    (line,) = re.findall(r"```sh\n(\(printf .*?)\n```", text, re.DOTALL)
    command = line.replace("http://127.0.0.1:5000", cog.url).replace(
        "poster", f"'{tmp_path}/poster'"
    )
    subprocess.run(["sh", "-c", command], cwd=SAMPLES.parent, capture_output=True, check=True)
    with Image.open(tmp_path / "poster.0.webp") as image:
        assert image.size == (1536, 1024)


@pytest.mark.parametrize("file", sorted((SAMPLES / "inputs").iterdir()), ids=lambda f: f.name)
def test_input_pictures_are_small(file: Path) -> None:
    assert file.stat().st_size < 60_000
