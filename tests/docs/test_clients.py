"""docs/clients.md: each snippet works as it stands, with the versions that its first line names."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dev.servers import Server, clean_environment, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from dev.servers.environments import environment
from dev.servers.litellm import REQUIREMENTS
from tests.api.clients.published import HERE, javascript_clients

from .blocks import blocks

pytestmark = pytest.mark.long

PAGE = "docs/clients.md"
API = "127.0.0.1:8000"
PROMPT = "A lighthouse at dusk"

SNIPPETS = {
    block.partition("\n")[0].lstrip("#/ "): (language, block)
    for language in ("python", "javascript", "sh")
    for block in blocks(PAGE, language)
}
"""By their first line, without the sign of a comment."""
JAVASCRIPT = {
    "replicate@1.4.0": "javascript",
    "@ai-sdk/replicate@3.0.46 ai@7.0.173": "javascript",
    "openai@7.57.0": "javascript-openai",
    "@ai-sdk/openai@4.0.118 ai@7.0.173": "javascript-openai",
    "@runware/sdk-js@1.3.2": "javascript-runware",
    "@runware/ai-sdk-provider@2.0.0 ai@6.0.322": "javascript-runware",
}
"""The folder of clients that has those packages."""
PYTHON = {
    "replicate==1.0.7": {"replicate-1": HERE / "replicate-1.txt"},
    "replicate==2.0.0b4": {"replicate-2": HERE / "replicate-2.txt"},
    "openai==2.54.0 or openai==3.54.0": {
        "openai-2": HERE / "openai-2.txt",
        "openai-3": HERE / "openai-3.txt",
    },
    "runware==0.5.24": {"runware-0": HERE / "runware-0.txt"},
    "runware-sdk==1.8.0": {"runware-sdk": HERE / "runware-sdk.txt"},
    "litellm==1.106.2": {"litellm": REQUIREMENTS},
}
"""The environments that have them, each with its requirements."""


def programs(wanted: re.Pattern[str] = re.compile("")) -> Iterator[object]:
    """Each snippet with what runs it, where its first line begins as wanted."""
    for first, (language, _) in SNIPPETS.items():
        if not wanted.match(first):
            continue
        places = {"python": PYTHON.get(first, []), "javascript": [JAVASCRIPT.get(first)]}
        for place in places.get(language, ["sh"]):
            needs = pytest.mark.litellm if place == "litellm" else pytest.mark.clients
            marks = [] if language == "sh" else [needs]
            yield pytest.param(first, place, marks=marks, id=f"{first} ({place})")


@pytest.fixture(scope="module")
def served(sandbox_process: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    port, outputs = free_port(), tmp_path_factory.mktemp("outputs")
    upstream = {"OPENAI_PROXY_URL": sandbox_process.url}
    data = tmp_path_factory.mktemp("api")
    with (
        predictor_for_api(port, outputs, **upstream) as cog,
        api_before(cog, port, data, outputs) as api,
    ):
        yield api


def test_every_snippet_names_versions_that_are_tried() -> None:
    for first, (language, _) in SNIPPETS.items():
        assert language == "sh" or first in (PYTHON | JAVASCRIPT)
    assert {*PYTHON, *JAVASCRIPT} <= SNIPPETS.keys()
    for first, places in PYTHON.items():
        for version in first.split(" or "):
            texts = [file.read_text() for file in places.values()]
            assert any(re.search(rf"^{re.escape(version)}\b", text, re.M) for text in texts)
    for first, folder in JAVASCRIPT.items():
        packages = (HERE / folder / "package.json").read_text()
        for each in first.split():
            name, _, version = each.rpartition("@")
            assert f'"{name}": "{version}"' in packages


@pytest.mark.parametrize(("first", "place"), list(programs()))
def test_a_snippet_saves_a_picture(first: str, place: str, served: Api, tmp_path: Path) -> None:
    done = run(first, place, served, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    saved = pictures(tmp_path)
    assert any(file.stem == "lighthouse" for file in saved)
    for file in saved:
        with Image.open(file) as picture:
            assert picture.format == file.suffix[1:].upper()


@pytest.mark.parametrize(("first", "place"), list(programs(re.compile("curl|replicate"))))
def test_a_snippet_that_fails_says_why_and_saves_nothing(
    first: str, place: str, served: Api, tmp_path: Path
) -> None:
    done = run(first, place, served, tmp_path, prompt="A lighthouse [sandbox:moderation]")

    assert done.returncode != 0
    assert "OpenAI's safety system blocked the request" in done.stdout + done.stderr
    assert not pictures(tmp_path)


@pytest.mark.parametrize("first", [each for each in SNIPPETS if each.startswith("curl")])
def test_a_line_of_curl_with_a_wrong_token_says_so_and_saves_nothing(
    first: str, served: Api, tmp_path: Path
) -> None:
    done = run(first, "sh", served, tmp_path, token="not-a-token")

    assert done.returncode != 0
    assert "You did not pass a valid authentication token" in done.stderr
    assert not pictures(tmp_path)


def run(
    first: str,
    place: str,
    served: Api,
    folder: Path,
    *,
    prompt: str = PROMPT,
    token: str | None = None,
) -> "subprocess.CompletedProcess[str]":
    language, snippet = SNIPPETS[first]
    assert API in snippet
    assert PROMPT in snippet
    program = folder / {"python": "a.py", "javascript": "a.mjs", "sh": "a.sh"}[language]
    here = snippet.replace(API, served.url.removeprefix("http://")).replace(PROMPT, prompt)
    program.write_text(here)
    if language == "python":
        command = str(environment(place, PYTHON[first][place]) / "bin" / "python")
    elif language == "javascript":
        command = "node"
        modules = javascript_clients(place).folder / "node_modules"
        (folder / "node_modules").symlink_to(modules)
    else:
        command = "sh"
    return subprocess.run(
        [command, program.name],
        cwd=folder,
        env=clean_environment() | {"API_TOKEN": token or served.token},
        capture_output=True,
        text=True,
        timeout=90,
    )


def pictures(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.suffix in {".png", ".webp"}]
