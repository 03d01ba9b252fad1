"""`python -m benchmarks.soak [--predictions N] [--seed S]`: 2,000 predictions, every fault."""

import argparse
import sys
import time
from collections import Counter

from benchmarks.soak.run import soak

AT_LEAST = 20
PREDICTIONS = 2000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--predictions", type=int, default=PREDICTIONS)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    soaked = soak(arguments.predictions, arguments.in_flight, arguments.seed)
    for kind, count in soaked.counts.items():
        print(f"{count:5} {kind}")
    statuses = Counter(each.status for each in soaked.ended)
    print(", ".join(f"{count} {status}" for status, count in statuses.most_common()))
    longest = max(each.seconds for each in soaked.ended)
    print(f"longest prediction {longest:.1f} s; {sum(e.busy for e in soaked.ended)} times 409")
    print(f"idle after the warm-up: {soaked.before}\nidle at the end: {soaked.after}")
    print(f"it took {time.monotonic() - started:.0f} s")
    problems = soaked.problems(AT_LEAST)
    print(*problems, f"{len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
