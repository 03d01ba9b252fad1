"""How soon other processes hear of what one has stored, where there is nothing else to do.

    python -m benchmarks.api_cluster.wake_ups 100

Two processes take requests and two work. Predictions come one after the other, each once the one
before has ended, and their callers wait (`Prefer: wait`). Measured is the time from a prediction's
`created_at` to its `sent_at`, and from its `completed_at` to when its caller had the answer: each
row's times are noted before they are committed, so both include a commit.
"""

import sys
import time

from benchmarks.api_cluster.places import create, places, tell
from benchmarks.machine import describe

_WARMING = 10


def main() -> None:
    """Print both times."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(describe())
    heard: dict[str, float] = {}
    with places(apis=2, workers=2, slots=4) as there:
        for number in range(_WARMING + times):
            prompt = f"Lighthouse {number} [sandbox:slow seconds=0.3]"
            ended = create(there.cluster.apis[number % 2], prompt, Prefer="wait=50")
            heard[ended["id"]] = time.time()
            assert ended["status"] == "succeeded", ended
        rows = there.rows("SELECT id, created_at, sent_at, completed_at FROM predictions")
    measured = set(list(heard)[_WARMING:])
    rows = [row for row in rows if row[0] in measured]
    tell("from accepted to noted as sent", [sent - accepted for _, accepted, sent, _ in rows])
    tell("from the end to the caller's answer", [heard[id] - ended for id, _, _, ended in rows])


if __name__ == "__main__":
    main()
