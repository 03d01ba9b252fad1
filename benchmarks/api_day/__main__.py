"""`python -m benchmarks.api_day`: a day in 6 minutes, then the climb, 10 minutes in all.

Two APIs, two workers, two Cog servers, Postgres, a store and the sandbox, all on this machine.
"""

import argparse
import sys
import time

from benchmarks import machine
from benchmarks.api_day import plan, report
from benchmarks.api_day.installation import installation
from benchmarks.api_day.run import Step, climb, live

_MINUTE = 60.0


def main() -> int:
    """1 where anything was lost, made or billed twice, or not told."""
    arguments = _arguments()
    started = time.monotonic()
    print(", ".join(f"{name} {value}" for name, value in machine.describe().items()))
    problems = _day(arguments.minutes, arguments.peak, arguments.seed) if arguments.minutes else 0
    if arguments.rates:
        _climb(arguments.rates, arguments.seconds)
    print(f"It took {(time.monotonic() - started) / _MINUTE:.1f} minutes.")
    return 1 if problems else 0


def _day(minutes: float, peak: float, seed: int) -> int:
    """How many problems there were."""
    hour = minutes * _MINUTE / plan.DAY
    account = {
        "SANDBOX_IMAGES_PER_MINUTE": str(plan.images_per_minute(peak)),
        "SANDBOX_MINUTE_SECONDS": str(plan.MINUTE),
    }
    with installation(**account) as running:
        verdict, troubles, used = live(running, plan.draw(peak, hour, seed), hour, seed)
    print(*report.day(verdict, troubles, used), sep="\n", flush=True)
    return len(verdict.problems)


def _climb(rates: list[float], seconds: float) -> None:
    kept: Step | None = None
    with installation() as running:
        for step in climb(running, rates, seconds):
            print(*report.step(step), sep="\n", flush=True)
            kept = step if step.kept_up else kept
    if kept:
        print(*report.sizes(kept.used, kept.ended, (1, 10, 100)), sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_day", description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0, help="of the day; 0 leaves it out")
    parser.add_argument("--peak", type=float, default=4.0, help="predictions a second at 15 h")
    parser.add_argument(
        "--rates",
        type=lambda given: [float(each) for each in given.split(",") if each],
        default=[1.0, 2.0, 5.0, 10.0, 15.0, 20.0],
        help="of the climb, predictions a second: 1,2,5; an empty one leaves it out",
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="at each of these rates")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
