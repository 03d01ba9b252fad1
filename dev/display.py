"""A prediction in the terminal: its logs as they come, and a clock while it waits."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from dev.prediction import State

HEARTBEAT = 10.0  # seconds between signs of life where no line can be rewritten
CLEAR_LINE = "\r\x1b[K"


class LiveLog:
    """Prints each new log line with the seconds since the start; on a terminal the clock runs."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._live = out.isatty()
        self._started = self._last_sign = time.monotonic()
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def update(self, state: State) -> None:
        lines = state.get("logs", "").splitlines()
        self._clear()
        for line in lines[self._shown :]:
            self._print(line)
        self._shown = max(self._shown, len(lines))
        if self._live:
            self._out.write(f"{self._elapsed():6.1f} s  ...")
            self._out.flush()
        elif time.monotonic() - self._last_sign >= HEARTBEAT:
            self._print("still waiting")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _print(self, line: str) -> None:
        print(f"{self._elapsed():6.1f} s  {line}", file=self._out, flush=True)
        self._last_sign = time.monotonic()

    def _clear(self) -> None:
        if self._live:
            self._out.write(CLEAR_LINE)
            self._out.flush()
