"""scripts/save-pictures: every picture of an answer on disk, or the reason why there is none."""

import json
import subprocess
from pathlib import Path

import pytest

from dev.data_uris import data_uri
from dev.servers import PROJECT
from tests.support.cog_client import picture

SAVE = PROJECT / "scripts" / "save-pictures"


COGS_WORDS = "Prediction failed: Async prediction failed: "


def save(
    answer: object, cwd: Path, *arguments: str, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SAVE, *arguments],
        cwd=cwd,
        input=json.dumps(answer) if text is None else text,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_every_picture_is_written_whole_beside_what_is_there(tmp_path: Path) -> None:
    pictures = [picture("WEBP", color=color) for color in ("red", "green", "blue")]
    (tmp_path / "cup.1.webp").write_bytes(b"mine")
    uris = [data_uri(each, "image/webp") for each in pictures]
    done = save({"status": "succeeded", "output": uris, "logs": "a line\n"}, tmp_path, "cup")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "a line\ncup.0.webp\ncup.2.webp\ncup.3.webp\n"
    assert (tmp_path / "cup.1.webp").read_bytes() == b"mine"
    assert [(tmp_path / f"cup.{n}.webp").read_bytes() for n in (0, 2, 3)] == pictures


def test_an_address_is_shown_in_place_of_a_file(tmp_path: Path) -> None:
    done = save({"status": "succeeded", "output": ["https://files.example/0.webp"]}, tmp_path)
    assert done.stdout.split() == ["https://files.example/0.webp"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "failed", "error": "X: it is empty."}, "X: it is empty."),
        ({"status": "failed", "error": f"{COGS_WORDS}X: it is empty."}, "X: it is empty."),
        ({"status": "canceled"}, "The prediction is canceled."),
        ({"id": "x", "status": "processing"}, "The prediction is processing."),
        ({"detail": [{"loc": ["body", "quality"], "msg": "bad"}]}, "quality: bad"),
        ({"status": 401, "title": "Unauthenticated", "detail": "No valid token"}, "No valid token"),
        ({"error": "At capacity", "status": "failed"}, "At capacity"),
        ({"status": "succeeded", "output": ["data:,x"]}, "this is not a data URI"),
        ([], "This is no prediction: []"),
    ],
    ids=str,
)
def test_what_went_wrong_is_said_and_nothing_written(
    tmp_path: Path, answer: object, said: str
) -> None:
    done = save(answer, tmp_path)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert COGS_WORDS not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "The server did not answer."), ("Not Found", "Not Found")],
    ids=["nothing", "text"],
)
def test_an_answer_that_is_not_json_is_shown(tmp_path: Path, text: str, said: str) -> None:
    done = save(None, tmp_path, text=text)
    assert (done.returncode, done.stderr.strip()) == (1, said)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    answer = {"status": "succeeded", "output": [data_uri(picture("WEBP"), "image/webp")]}
    done = save(answer, tmp_path, "gone/cup")
    assert (done.returncode, done.stderr) == (
        1,
        "Cannot write gone/cup.0.webp: No such file or directory.\n",
    )
