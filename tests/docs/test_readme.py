"""Each shell block of README is pasted as it stands, in a folder with a space in its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.servers import clean_environment
from tests.support.cog_client import Cog

from .blocks import SERVER, blocks

BLOCKS = {block.split("\n")[0]: block for block in blocks("README.md", "sh")}
CANNOT_RUN = {
    "make test": "it would run this test again",
    "cog run -e": "needs Docker, and a key that pays; tests/container/test_cog.py has it",
    "cog login": "needs an account at Replicate",
    "export REPLICATE": "make serve prints it with paths; tests/dev/test_serve.py pastes that",
    "cog build": "needs Docker; tests/container builds and runs the image",
}


def paste(block: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    # The environment of the tests stands for the one that would be made.
    environment = clean_environment() | {"VENV": sys.prefix}
    return subprocess.run(
        ["sh", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, timeout=90
    )


def test_every_block_is_tried_or_has_a_reason() -> None:
    tried = ("make predict", "curl -sS")
    untold = [first for first in BLOCKS if not first.startswith((*tried, *CANNOT_RUN))]
    assert not untold
    assert all(any(first.startswith(known) for first in BLOCKS) for known in (*tried, *CANNOT_RUN))


def block(start: str) -> str:
    (found,) = [text for first, text in BLOCKS.items() if first.startswith(start)]
    return found


def test_make_predict_saves_a_picture(clone: Path) -> None:
    done = paste(block("make predict"), clone)

    assert done.returncode == 0, done.stderr
    (picture,) = (clone / "pictures").iterdir()
    assert f"{picture.relative_to(clone)}  1024 x 1024" in done.stdout


@pytest.mark.parametrize("prompt", ["cost $5", 'a "b" `c` $(d) #e', "it's 100%"])
def test_make_predict_sends_the_prompt_as_it_was_given(clone: Path, prompt: str) -> None:
    show = 'show:\n\t@printf %s "$$PROMPT"\n'
    make = ["make", "--silent", "-f", "Makefile", "-f", "-", "show"]
    for by_argument in (True, False):
        done = subprocess.run(
            [*make, f"PROMPT={prompt}"] if by_argument else make,
            cwd=clone,
            env=os.environ if by_argument else os.environ | {"PROMPT": prompt},
            input=show,
            capture_output=True,
            text=True,
        )
        assert done.stdout == prompt


def test_the_curl_line_saves_every_picture_whole(cog: Cog, clone: Path) -> None:
    line = block("curl -sS").replace(SERVER, cog.url)
    one = paste(line, clone)
    two = paste(line.replace('"aspect_ratio"', '"number_of_images": 2, "aspect_ratio"'), clone)

    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert one.stdout.splitlines()[-1] == "lighthouse.0.webp"
    assert two.stdout.splitlines()[-2:] == ["lighthouse.1.webp", "lighthouse.2.webp"]
    for number in range(3):
        file = (clone / f"lighthouse.{number}.webp").read_bytes()
        assert int.from_bytes(file[4:8], "little") + 8 == len(file)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('"prompt": "x [sandbox:moderation]"', "ModerationBlocked: "),
        ('"prompt": "x", "quality": "best"', 'quality: "best" is not one of'),
        ('"quality": "low"', "prompt: "),
        ("oops", "Failed to parse"),
    ],
)
def test_the_curl_line_says_what_went_wrong(cog: Cog, clone: Path, asked: str, said: str) -> None:
    line = block("curl -sS").replace(SERVER, cog.url).replace("pictures lighthouse", "pictures bad")
    done = paste(line.replace('"prompt": "A lighthouse at dusk"', asked), clone)

    assert done.returncode == 1
    assert said in done.stderr
    assert not list(clone.glob("bad.*"))


def test_without_a_server_the_curl_line_says_so(clone: Path) -> None:
    done = paste(block("curl -sS").replace(SERVER, "http://127.0.0.1:9"), clone)

    assert done.returncode == 1
    assert "port 9" in done.stderr
