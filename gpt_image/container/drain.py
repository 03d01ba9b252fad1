"""`python -m gpt_image.container.drain`: end Cog's server once nothing runs in it any more.

For a server with --await-explicit-shutdown, since SIGTERM would end asynchronous predictions
without their webhook. Nothing runs when no prediction holds its lock and the server has no
connection but its callers': none to an upstream, to an input's address, to where files are put, to
a webhook's receiver.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gpt_image.container.health import ask
from gpt_image.container.in_flight import anything_runs

QUIET_FOR = 5.0  # seconds; between a prediction's end and its webhook there is a moment of nothing
LOOK_EVERY = 0.25  # seconds
ESTABLISHED = "01"  # of a connection in /proc/net/tcp


def main() -> int:
    """0 once the server was told to end; at the latest after the deadline, which none outlives."""
    parser = argparse.ArgumentParser(prog="python -m gpt_image.container.drain")
    parser.add_argument("--pid", type=int, default=1, help="of Cog's server; 1 in a container")
    parser.add_argument("--quiet-for", type=float, default=QUIET_FOR, metavar="SECONDS")
    arguments = parser.parse_args()
    deadline = float(os.environ.get("OPENAI_DEADLINE_SECONDS") or 600)
    wait_until_quiet(arguments.pid, arguments.quiet_for, deadline + arguments.quiet_for)
    try:
        ask("POST", "/shutdown")
    except OSError as error:
        print(f"Cog does not answer, so it was not told to end: {error}", file=sys.stderr)
        return 1
    return 0


def wait_until_quiet(pid: int, quiet_for: float, at_most: float) -> None:
    """Return when nothing has been running for `quiet_for` seconds, or after `at_most`."""
    give_up = time.monotonic() + at_most
    last_seen = time.monotonic()
    while (now := time.monotonic()) < min(give_up, last_seen + quiet_for):
        if anything_runs() or any(_connections(pid)):
            last_seen = now
        time.sleep(LOOK_EVERY)


def _connections(pid: int) -> Iterator[str]:
    """The local addresses of connections that the server and its worker have made."""
    own = {inode for process in (pid, *_children(pid)) for inode in _sockets(process)}
    port = int(os.environ.get("PORT", "5000"))
    for table in ("tcp", "tcp6"):
        for line in _lines(Path(f"/proc/{pid}/net/{table}"))[1:]:
            # proc_net_tcp(5): sl local rem st tx:rx tr:when retrnsmt uid timeout inode
            _, local, _, state, *rest = line.split()
            is_callers = int(local.rpartition(":")[2], 16) == port
            if state == ESTABLISHED and rest[5] in own and not is_callers:
                yield local


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, " ".join(_lines(task)).split())


def _sockets(pid: int) -> Iterator[str]:
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
