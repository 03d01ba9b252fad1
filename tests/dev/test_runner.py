"""The local runner, as a person without Docker or a key uses it."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dev import predict, request
from dev.servers import PROJECT, clean_environment, sandbox_server
from tests.support.cog_client import picture
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.long


def run(*flags: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dev", "predict", *flags],
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(PROJECT)} | environment,
        capture_output=True,
        text=True,
        timeout=90,
    )


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


@pytest.fixture
def other_upstream() -> Iterator[Sandbox]:
    """A sandbox that only `--real` may call; it stands for OpenAI."""
    with sandbox_server(SANDBOX_RECORD="true") as server:
        yield Sandbox(server.root)


@pytest.mark.quick
def test_a_prediction_saves_its_pictures_and_says_all_about_them(tmp_path: Path) -> None:
    flags = ["-i", "prompt=A lighthouse", "-i", "number_of_images=2", "-i", "aspect_ratio=3:2"]
    done = run(*flags, "-o", "pictures", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Using the sandbox at http://127.0.0.1:")
    assert re.search(r"^ +\d+\.\d s  Generating image\.\.\.$", done.stdout, re.MULTILINE)
    for name in ("pictures.0.webp", "pictures.1.webp"):
        assert re.search(rf"^{name}  1536 x 1024, \d+ KB$", done.stdout, re.MULTILINE)
        assert size_of(tmp_path / name) == (1536, 1024)
    assert re.search(r"^output_token_count +316$", done.stdout, re.MULTILINE)
    assert re.search(r"^cost_usd +\$0\.0\d+$", done.stdout, re.MULTILINE)


def test_logs_show_while_the_prediction_runs(tmp_path: Path) -> None:
    done = run("-i", "prompt=A [sandbox:slow seconds=4]", "-o", "x", cwd=tmp_path)

    seconds = {
        line: float(elapsed)
        for elapsed, line in re.findall(r"^ +(\d+\.\d) s  (.*)$", done.stdout, re.MULTILINE)
    }
    assert seconds["Generated 1 images"] - seconds["Generating image..."] > 1


def test_files_are_sent_in_their_order(tmp_path: Path) -> None:
    for name, color in (("a.png", "red"), ("b.png", "blue")):
        (tmp_path / name).write_bytes(picture(color=color))
    flags = ["-i", "input_images=@a.png", "-i", "input_images=@b.png", "-i", "prompt=Both"]
    done = run(*flags, "-o", "both.png", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert int(re.findall(r"input_image_token_count +(\d+)", done.stdout)[0]) > 0
    assert (tmp_path / "both.0.png").exists()


@pytest.mark.parametrize("argument", ["@request.json", '{"prompt": "A lighthouse"}', "@-"])
def test_json_comes_from_a_file_the_command_line_or_stdin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str
) -> None:
    given = '{"prompt": "A lighthouse"}'
    (tmp_path / "request.json").write_text(given)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))

    assert request.from_json(argument) == {"prompt": "A lighthouse"}


def test_a_prediction_is_made_of_json(tmp_path: Path) -> None:
    done = run("--json", '{"prompt": "A lighthouse"}', "-o", "x", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.0.webp").exists()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([], "Give the inputs either with -i name=value or with --json."),
        (["-i", "prompt"], "`-i prompt` is not of the form name=value."),
        (["-i", "promt=x"], "There is no input 'promt'; there are: prompt, "),
        (["-i", "prompt=x", "-i", "input_images=@gone.png"], "gone.png"),
        (["-i", "prompt=x", "-i", "input_images=cup.jpg"], "did you mean input_images=@cup.jpg?"),
        (["--json", "{"], "--json is not valid JSON"),
        (["--bogus"], "--bogus"),
        (["--json", "@gone.json"], "Cannot read gone.json: No such file or directory."),
        (["-i", "prompt=x", "-o", "/dev/null/x"], "Cannot write to /dev/null: "),
        (["-i", "prompt=x", "-i", "aspect_ratio=9:9"], 'aspect_ratio: "9:9" is not one of ['),
        (["-i", "prompt= "], "The prompt is empty; describe the image that you want."),
        (["-i", "prompt=x [sandbox:moderation]"], "OpenAI's safety system blocked the request"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_code_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    # In this process: starting another one for each takes longer than all they do.
    assert exit_code(flags) == 1

    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def exit_code(flags: list[str]) -> object:
    try:
        return predict.main(flags)
    except SystemExit as end:
        return end.code


def test_an_exported_key_does_not_turn_a_demo_into_a_bill(
    tmp_path: Path, other_upstream: Sandbox
) -> None:
    exported = {
        "OPENAI_API_KEY": "test-key-operator",
        "OPENAI_BASE_URL": f"{other_upstream.root}/v1",
        "OPENAI_PROXY_URL": f"{other_upstream.root}/v1",
    }
    done = run("-i", "prompt=A lighthouse", "-o", "x", cwd=tmp_path, **exported)

    assert done.returncode == 0, done.stderr
    assert not other_upstream.requests


@pytest.mark.parametrize(
    ("variables", "payer"),
    [
        (("OPENAI_API_KEY", "OPENAI_BASE_URL"), "OPENAI_API_KEY at {host}"),
        (("OPENAI_PROXY_KEY", "OPENAI_PROXY_URL"), "the proxy at {host}, with OPENAI_PROXY_KEY"),
    ],
    ids=["key", "proxy"],
)
def test_real_says_who_pays_and_what_it_costs_first(
    tmp_path: Path, other_upstream: Sandbox, variables: tuple[str, str], payer: str
) -> None:
    values = ("test-key-operator", f"{other_upstream.root}/v1")
    exported = dict(zip(variables, values, strict=True))
    flags = ["-i", "prompt=A lighthouse", "-i", "quality=medium", "-o", "x", "--real"]
    done = run(*flags, cwd=tmp_path, **exported)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    host = other_upstream.root.removeprefix("http://")
    assert lines[0] == f"No sandbox: this is served, and paid, by {payer.format(host=host)}."
    # 1756 output tokens at $30 a million, and four of text.
    estimate = "about $0.0527 for 1 image"
    assert lines[1] == f"Estimate by OpenAI's token formula and list prices: {estimate}."
    assert "test-key-operator" not in done.stdout + done.stderr
    authorization = other_upstream.request.headers["authorization"]
    assert authorization == "Bearer test-key-operator"


def test_real_without_anybody_to_pay_asks_nobody(tmp_path: Path) -> None:
    done = run("-i", "prompt=A lighthouse", "--real", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("No API key was given: pass your OpenAI key")
    assert not list(tmp_path.iterdir())
