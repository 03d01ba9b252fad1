"""Ctrl-C at any moment: no traceback, nothing left behind, and the truth about the bill."""

import time
from pathlib import Path

import pytest

from dev.servers import PROJECT, sandbox_server

from .stoppable import running

pytestmark = pytest.mark.long

PREDICT = PROJECT / "scripts" / "predict"
SLOWLY = ["-i", "prompt=A [sandbox:slow seconds=30]"]
STOPPED = "Stopped; nothing is left running."


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.1, 0.3, 1.0, 1.5])
def test_ctrl_c_shows_no_traceback_and_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    with running([PREDICT, *SLOWLY], tmp_path, TMPDIR=str(tmp_path)) as runner:
        time.sleep(seconds)
        said = runner.press_ctrl_c()

    assert said in {"", STOPPED}
    assert runner.process.returncode in {130, -2}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("milliseconds", range(0, 60, 4))
def test_ctrl_c_shows_no_traceback_of_pythons_own_start(tmp_path: Path, milliseconds: int) -> None:
    with running([PREDICT, *SLOWLY], tmp_path) as runner:
        while not runner.is_python:
            time.sleep(0.0005)
        time.sleep(milliseconds / 1000)
        assert runner.press_ctrl_c() in {"", STOPPED}


def test_ctrl_c_while_a_picture_is_drawn_does_not_wait_for_it(tmp_path: Path) -> None:
    with running([PREDICT, *SLOWLY], tmp_path) as runner:
        runner.wait_for("Generating image")
        interrupted = time.monotonic()
        said = runner.press_ctrl_c()

    # Cog's server would wait for the prediction, so the runner cancels it first.
    assert time.monotonic() - interrupted < 20
    assert len(runner.children) >= 2
    assert said == STOPPED
    assert runner.process.returncode == 130


@pytest.mark.parametrize(
    ("moment", "bill"),
    [
        ("Estimate by", "Nothing was sent, so nothing is billed."),
        ("Generating image", "The request went out, so it may be billed: look it up in your"),
    ],
    ids=["before it is sent", "after it was sent"],
)
def test_ctrl_c_during_real_says_what_may_be_billed(tmp_path: Path, moment: str, bill: str) -> None:
    with sandbox_server() as openai:
        exported = {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": openai.url}
        command: list[str | Path] = [PREDICT, *SLOWLY, "--real", "-i", "quality=low"]
        with running(command, tmp_path, **exported) as runner:
            runner.wait_for(moment)
            said = runner.press_ctrl_c()

    assert said.startswith(f"{STOPPED} {bill}")
    assert ("The estimate was about $0.0059 for 1 image." in said) == (moment != "Estimate by")
