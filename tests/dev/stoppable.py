"""A command of ours in a terminal's place: what it prints, what it has started, and Ctrl-C."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dev.servers import PROJECT, clean_environment


@dataclass
class Running:
    process: subprocess.Popen[str]
    printed: str = ""
    children: list[psutil.Process] = field(default_factory=list)

    def wait_for(self, text: str) -> None:
        """Until a line with this text was printed; it must come."""
        assert self.process.stdout
        while text not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line

    @property
    def is_python(self) -> bool:
        """Whether the shell of the script has made way for Python."""
        words = psutil.Process(self.process.pid).cmdline()  # empty for a moment
        return bool(words) and Path(words[0]).name.startswith("python")

    def press_ctrl_c(self) -> str:
        """What is said then, once it has ended; fails if anything that it started lives on."""
        self.children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        rest, said = self.process.communicate(timeout=20)
        self.printed += rest
        _, alive = psutil.wait_procs(self.children, timeout=2)
        assert not alive
        return said.strip()


@contextmanager
def running(command: Sequence[str | Path], cwd: Path, **environment: str) -> Iterator[Running]:
    """The command, on which Ctrl-C works wherever the tests were started."""
    # What a script starts in the background ignores it, and so do its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    own = {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", "VENV": sys.prefix}
    try:
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=clean_environment() | own | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()
    finally:
        signal.signal(signal.SIGINT, before)
