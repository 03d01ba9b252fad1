"""Old outputs go, and never one that may still be read."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog, Prediction
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.long

MAX_AGE = 60
MONTH = 30 * 86400


@dataclass(frozen=True)
class Swept:
    """An output directory after two predictions, of which the quick one ended first and swept."""

    directory: Path
    elsewhere: Path
    in_use: Path
    was_in_use_and_kept: bool
    quick: Prediction
    slow: Prediction

    def has(self, name: str) -> bool:
        return (self.directory / name).exists()


@pytest.fixture(scope="module")
def swept(sandbox_process: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    directory = tmp_path_factory.mktemp("sweep") / "outputs"
    environment = {
        "OPENAI_PROXY_URL": sandbox_process.url,
        "OPENAI_DEADLINE_SECONDS": "30",
        "OUTPUT_DIRECTORY": str(directory),
        "OUTPUT_MAX_AGE_SECONDS": str(MAX_AGE),
    }
    with predictor_server(**environment) as server, ThreadPoolExecutor() as pool:
        cog, sandbox = Cog(server.url), Sandbox(sandbox_process.root)
        sandbox.forget()
        slow = pool.submit(cog.predict, prompt="A lighthouse [sandbox:slow seconds=2]")
        sandbox.wait_for(lambda entry: entry["received"])
        (in_use,) = directory.iterdir()
        grow_old(in_use, MONTH)
        elsewhere = furnish(directory)
        quick = cog.predict()
        kept = in_use.exists()
        yield Swept(directory, elsewhere, in_use, kept, quick, slow.result())


def furnish(directory: Path) -> Path:
    """Fill the output directory; the return is what a link in it leads to."""
    make(directory, "prediction-00000000000000a1", MAX_AGE + 5)
    make(directory, "q5h3n0kz2drmc0ch8n2t-00000000000000a2", MONTH)
    make(directory, "prediction-00000000000000b1", MAX_AGE - 30)
    make(directory, "photos", MONTH)
    make(directory, "backup-2026-11-21", MONTH)
    file = directory / "prediction-00000000000000c1"
    file.write_text("a file by the name of a directory")
    grow_old(file, MONTH)
    elsewhere = make(directory.parent, "elsewhere", MONTH)
    (directory / "prediction-00000000000000c2").symlink_to(elsewhere)
    return elsewhere


def make(directory: Path, name: str, age: float) -> Path:
    """A directory with a file in it, last changed `age` seconds ago."""
    made = directory / name
    made.mkdir(parents=True)
    (made / f"{name}-0.webp").write_bytes(b"an image")
    grow_old(made, age)
    return made


def grow_old(path: Path, age: float) -> None:
    changed = time.time() - age
    os.utime(path, (changed, changed))


def test_a_later_prediction_removes_old_outputs(swept: Swept) -> None:
    assert not swept.has("prediction-00000000000000a1")
    assert not swept.has("q5h3n0kz2drmc0ch8n2t-00000000000000a2")


def test_young_outputs_are_kept(swept: Swept) -> None:
    assert swept.has("prediction-00000000000000b1")


def test_the_directory_of_a_running_prediction_is_kept_however_old_it_is(swept: Swept) -> None:
    assert swept.was_in_use_and_kept
    assert len(swept.slow.files) == 1


def test_what_is_not_ours_is_kept(swept: Swept) -> None:
    assert swept.has("photos/photos-0.webp")
    assert swept.has("backup-2026-11-21/backup-2026-11-21-0.webp")
    assert swept.has("prediction-00000000000000c1")


def test_a_link_is_not_followed(swept: Swept) -> None:
    assert list(swept.elsewhere.iterdir())


def test_sweeping_says_nothing_to_the_caller(swept: Swept) -> None:
    assert len(swept.quick.files) == 1
    assert len(swept.quick.logs) == 7
