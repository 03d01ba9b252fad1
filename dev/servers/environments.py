"""Virtual environments beside the project's own, for programs that need other packages."""

import fcntl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.servers.process import PROJECT

CACHE = PROJECT / ".cache"


def environment(name: str, *requirements: Path) -> Path:
    """The folder of the environment `name`, made or brought up to date if need be.

    Raises:
        subprocess.CalledProcessError: it could not be made.
    """
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join([sys.version, *(file.read_text() for file in requirements)])
    stamp = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests and benchmarks may start at the same moment
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _install(folder / "venv", requirements)
            # Last, so that an install that was cut short is done again.
            stamp.write_text(wanted)
    return folder / "venv"


def _install(venv: Path, requirements: Sequence[Path]) -> None:
    print(f"Making an environment in {venv}; once, up to two minutes and 750 MB.", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    subprocess.run([PROJECT / "scripts" / "install", venv, *requirements], check=True)
