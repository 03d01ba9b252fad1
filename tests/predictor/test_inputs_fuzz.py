"""No damage to an image file gets anything but InvalidInput out of `inputs.prepare`.

A few hundred files in the test; more with

    python -m tests.predictor.test_inputs_fuzz 10000

which prints what it saw as JSON. It is a process of its own so that the memory is its own too.
"""

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cog
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpt_image.conversion.reports import MEMORY_LIMIT
from gpt_image.errors import InvalidInput
from tests.predictor.test_inputs import checked_and_prepared
from tests.support.image_kinds import CHANGED, UNTOUCHED

pytestmark = pytest.mark.long

EXAMPLES = 300


def test_damaged_files_are_refused_or_sent_and_nothing_else() -> None:
    run = subprocess.run(
        [sys.executable, "-m", __name__, str(EXAMPLES)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-3000:]
    seen = json.loads(run.stdout)
    assert seen["sent untouched"] and seen["re-encoded"] and seen["refused"]
    assert seen["peak MB, conversion"] < MEMORY_LIMIT / 1e6
    assert seen["peak MB, predictor"] < 200
    assert seen["slowest seconds"] < 30
    assert seen["files left behind"] == 0


def _seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return [Path(str(kind.make(Path(folder)))).read_bytes() for kind in (*UNTOUCHED, *CHANGED)]


_SEEDS = _seeds()
_NUMBERS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\1\0\0"]


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A real file after one to three cuts, flips, splices, duplications or wild numbers."""
    data = draw(st.sampled_from(_SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        # Headers are where damage has consequences, so half of it goes to the first bytes.
        reach = draw(st.sampled_from([64, len(data)]))
        at = draw(st.integers(0, max(0, min(reach, len(data)) - 1)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(["cut", "drop", "flip", "number", "duplicate", "splice"])):
            case "cut":
                data = data[: max(at, 1)]
            case "drop":
                data = data[:at] + data[at + length :]
            case "flip":
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case "number":
                data = data[:at] + draw(st.sampled_from(_NUMBERS)) + data[at + 4 :]
            case "duplicate":
                data = data[: at + length] + data[at:]
            case "splice":
                other = draw(st.sampled_from(_SEEDS))
                data = data[:at] + other[draw(st.integers(0, len(other) - 1)) :]
    return data


def fuzz(examples: int, folder: Path) -> dict[str, float]:
    """Feed that many damaged files to `prepare` and count what became of them."""
    seen: Counter[str] = Counter()
    slowest = 0.0
    entry = cog.Path(folder / "upload")
    scratch = folder / "scratch"
    scratch.mkdir()

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged_files())
    def one(data: bytes) -> None:
        nonlocal slowest
        entry.write_bytes(data)
        started = time.monotonic()
        try:
            (part,) = runner.run(checked_and_prepared([entry], scratch))
        except InvalidInput as refusal:
            seen["refused"] += 1
            seen["conversions that failed"] += "could not be converted" in str(refusal)
        else:
            seen["sent untouched" if part.path == Path(entry) else "re-encoded"] += 1
            if part.path != Path(entry):
                part.path.unlink()
        slowest = max(slowest, time.monotonic() - started)
        assert not list(scratch.iterdir())
        assert entry.read_bytes() == data

    with asyncio.Runner() as runner:
        one()
    entry.unlink()
    shutil.rmtree(scratch)
    return {
        **seen,
        "slowest seconds": round(slowest, 2),
        "peak MB, predictor": _own_peak() / 1000,
        # Counts from before the exec, so that it is never below this process.
        "peak MB, conversion": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000,
        "files left behind": len(list(folder.iterdir())),
    }


def _own_peak() -> int:
    """In kilobytes; getrusage would count the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        sys.stdout.write(json.dumps(fuzz(int(sys.argv[1]), Path(folder)), indent=2) + "\n")
