"""CPU time and peak memory of a server and its children, from Linux's /proc."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

_RESET_PEAK = "5"  # what proc(5) calls resetting the peak resident set size
_MAIN = "http"
_CHILD = "worker"


@dataclass(frozen=True)
class Used:
    """What the processes used between `Watched.begin` and `end`; bytes and seconds, by role."""

    cpu: Mapping[str, float]
    peak: Mapping[str, int]
    growth: Mapping[str, int]
    """Peak less what the process held at the beginning."""


class Watched:
    """Processes and their children: the first is called `http`, all others together `worker`."""

    def __init__(self, *pids: int) -> None:
        children = [
            child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)
        ]
        self._roles = dict.fromkeys([*pids, *children], _CHILD) | {pids[0]: _MAIN}
        self._cpu: dict[int, float] = {}
        self._resident: dict[int, int] = {}

    def begin(self) -> Self:
        for pid in self._roles:
            Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
            self._resident[pid] = status_bytes(pid, "VmRSS")
            self._cpu[pid] = cpu_seconds(pid)
        return self

    def end(self) -> Used:
        cpu = dict.fromkeys(self._roles.values(), 0.0)
        peak = dict.fromkeys(self._roles.values(), 0)
        growth = dict.fromkeys(self._roles.values(), 0)
        for pid, role in self._roles.items():
            cpu[role] += cpu_seconds(pid) - self._cpu[pid]
            highest = status_bytes(pid, "VmHWM")
            peak[role] += highest
            growth[role] += highest - self._resident[pid]
        return Used(cpu, peak, growth)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all its threads included, also those that have ended.

    From its CPU clock (clock_getcpuclockid(3)), because /proc/PID/stat counts in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def status_bytes(pid: int, name: str) -> int:
    """A size from /proc/PID/status, such as VmRSS or VmHWM, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/{pid}/status has no {name}")


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
