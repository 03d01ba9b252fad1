"""docs/calls.md: each snippet works as it stands, and fails with the reason."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cog_client import Cog
from tests.support.loopback import webhook_receiver

from .blocks import SERVER, blocks

PAGE = "docs/calls.md"


def run(language: str, cog: Cog, folder: Path, prompt: str) -> "subprocess.CompletedProcess[str]":
    (snippet,) = blocks(PAGE, language)
    program = sys.executable if language == "python" else node()
    file = folder / {"python": "lighthouse.py", "javascript": "lighthouse.mjs"}[language]
    file.write_text(snippet.replace(SERVER, cog.url).replace("A lighthouse at dusk", prompt))
    return subprocess.run(
        [program, file.name], cwd=folder, capture_output=True, text=True, timeout=60
    )


def node() -> str:
    found = shutil.which("node")
    if not found:
        reason = "There is no node, so nothing was tried; on Debian: apt-get install nodejs"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


LANGUAGES = ["python", pytest.param("javascript", marks=pytest.mark.clients)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_snippet_saves_every_picture(cog: Cog, tmp_path: Path, language: str) -> None:
    done = run(language, cog, tmp_path, "A lighthouse at dusk")

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(2 * 196 * 30e-6, rel=0.1)
    for number in range(2):
        file = (tmp_path / f"lighthouse.{number}.webp").read_bytes()
        assert int.from_bytes(file[4:8], "little") + 8 == len(file)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("prompt", "said"),
    [("x [sandbox:moderation]", "ModerationBlocked"), (" ", "The prompt is empty")],
    ids=["blocked", "empty"],
)
def test_a_snippet_says_why_there_is_no_picture(
    cog: Cog, tmp_path: Path, language: str, prompt: str, said: str
) -> None:
    done = run(language, cog, tmp_path, prompt)

    assert done.returncode == 1
    assert said in done.stderr
    assert not list(tmp_path.glob("*.webp"))


def test_the_asynchronous_call_answers_at_once_and_its_webhook_comes(
    cog: Cog, tmp_path: Path
) -> None:
    (line,) = blocks(PAGE, "sh")
    with webhook_receiver() as webhooks:
        line = line.replace(SERVER, cog.url).replace("http://127.0.0.1:8000/done", webhooks.url)
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30)
        assert '"status":"processing"' in done.stdout or '"status":"starting"' in done.stdout
        webhooks.wait_for_count(1)
