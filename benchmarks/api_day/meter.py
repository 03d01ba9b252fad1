"""CPU by part of the installation, also of processes that have ended, and what Postgres did."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

CALLERS = "these callers"
"""The part that this process plays; run.py counts it."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds


@dataclass(frozen=True)
class Reading:
    """Counters that only grow."""

    cpu: Mapping[str, float]
    """Seconds, by part."""
    transactions: int
    """Of the database that the processes share; those that only read count, too."""
    flushes: int
    """How often Postgres waited for its disk: what is committed at once shares one."""

    def since(self, before: "Reading") -> "Reading":
        """What has come on top."""
        cpu = {part: seconds - before.cpu.get(part, 0.0) for part, seconds in self.cpu.items()}
        return Reading(
            cpu,
            self.transactions - before.transactions,
            self.flushes - before.flushes,
        )


class Meter:
    """Looks at processes by their ids.

    Args:
        parts: the ids of what runs now, by part; children are found.
        database_url: whose counters are read.
    """

    def __init__(self, parts: Callable[[], Mapping[str, Sequence[int]]], database_url: str) -> None:
        self._parts = parts
        self._database_url = database_url
        self._seconds: defaultdict[str, dict[tuple[int, str], float]] = defaultdict(dict)

    def look(self) -> None:
        """Note what runs, so that it counts also once it has ended; often, and before a kill."""
        for part, processes in self._parts().items():
            for process in processes:
                with suppress(OSError):
                    started, seconds = _tree(process)
                    self._seconds[part][process, started] = seconds

    def read(self) -> Reading:
        """All counters now."""
        self.look()
        cpu = {part: sum(each.values()) for part, each in self._seconds.items()}
        with psycopg.connect(self._database_url) as connection:
            found = connection.execute(
                "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = "
                "current_database()), (SELECT wal_sync FROM pg_stat_wal)"
            ).fetchone()
        transactions, flushes = found or (0, 0)
        return Reading(cpu, int(transactions), int(flushes))


def _tree(process: int) -> tuple[str, float]:
    """When it started, and the CPU seconds of it and its children, also of those it waited for."""
    # proc_pid_stat(5), from the third field on: the name before it may hold spaces.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    seconds = sum(map(int, fields[11:15])) * _TICK
    for child in _children(process):
        with suppress(OSError):
            seconds += _tree(child)[1]
    return fields[19], seconds


def _children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, task.read_text().split())
