"""`python -m benchmarks.api_soak [--predictions N] [--seed S]`: 3,000 through the API."""

import argparse
import sys
import time
from collections import Counter

from benchmarks.api_soak import verdict
from benchmarks.api_soak.run import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_soak", description=__doc__)
    parser.add_argument("--predictions", type=int, default=3000)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    soaked = soak(arguments.predictions, arguments.in_flight, arguments.seed)
    for behaviour, count in Counter(seen.call.behaviour for seen in soaked.seen).items():
        print(f"{count:5} {behaviour}")
    ends = verdict.ends(soaked.receiver.bodies)
    print(", ".join(f"{count} {status}" for status, count in ends.most_common()))
    billed = sum(entry["billed"] for entry in soaked.ledger)
    print(f"{billed} of {len(soaked.ledger)} requests at the upstream were billed")
    print(f"{len(soaked.receiver.refused)} webhooks were refused at first")
    print(f"idle after the warm-up: {soaked.before}\nidle at the end: {soaked.after}")
    print(f"the database after retention: {soaked.database / 1e6:.1f} MB, {soaked.rows} rows")
    print(f"it took {time.monotonic() - started:.0f} s")
    problems = soaked.problems()
    print(*problems, f"{len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
