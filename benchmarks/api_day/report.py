"""What is printed."""

from collections.abc import Mapping, Sequence

from benchmarks.api_day.meter import CALLERS, Reading
from benchmarks.api_day.run import Step
from benchmarks.api_day.verdict import Verdict, at

_STANDING_IN = ("sandbox", CALLERS)  # not part of an installation
_DRAWS = 30.0  # seconds of a real picture, for the slots
_SLOTS = 150  # of one worker
_CORE = 0.6  # of a core, so that bursts find room


def day(verdict: Verdict, troubles: Sequence[str], used: Reading) -> list[str]:
    """The day's lines."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(verdict.states.items()))
    lines = [
        *troubles,
        f"asked {verdict.asked}, accepted {verdict.accepted}: {states}",
        f"lost {len(verdict.lost)}, made twice {len(verdict.made_twice)}, billed twice "
        f"{len(verdict.billed_twice)}, webhooks that never came {len(verdict.untold)}",
        f"billed and failed, and says so: {verdict.billed_in_vain - len(verdict.unsaid)}",
        f"refused by the upstream's rate limit {verdict.refused}, taken again {verdict.again}",
    ]
    for tenant, seconds in verdict.queued.items():
        p50, p99 = at(0.5, seconds), at(0.99, seconds)
        lines.append(f"queue of {tenant}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    lines += [f"{count} failed with: {error}" for error, count in verdict.other_errors.items()]
    lines.append("CPU, restarts included: " + cpu(used, verdict.accepted))
    return [*lines, *verdict.problems, f"{len(verdict.problems)} problems"]


def step(done: Step) -> list[str]:
    """A rate of the climb."""
    used = done.used
    cores = sum(used.cpu.values()) / done.seconds
    busiest = max(used.cpu, key=lambda part: used.cpu[part])
    return [
        f"{done.rate:g} a second: {done.ended} ended in {done.seconds:.0f} s; accepted p99 "
        f"{done.accepted_p99 * 1000:.0f} ms, queue p50 {done.queued_p50 * 1000:.0f} ms, p99 "
        f"{done.queued_p99 * 1000:.0f} ms; callers late by up to {done.late * 1000:.0f} ms",
        f"    {cores:.2f} cores were busy, most of all with: {busiest}"
        + ("" if done.kept_up else "; this was too much"),
        f"    CPU of each: {cpu(used, done.ended)}",
        f"    of each: {used.transactions / max(done.ended, 1):.1f} transactions, "
        f"{used.flushes / max(done.ended, 1):.1f} flushes of Postgres",
    ]


def cpu(used: Reading, predictions: int) -> str:
    """Of one prediction, by part."""
    each = {part: seconds / max(predictions, 1) for part, seconds in used.cpu.items()}
    return ", ".join(f"{part} {seconds * 1000:.1f} ms" for part, seconds in each.items())


def sizes(used: Reading, predictions: int, rates: Sequence[float]) -> list[str]:
    """What these rates would need, computed from what one prediction cost."""
    cost: Mapping[str, float] = {
        part: seconds / predictions
        for part, seconds in used.cpu.items()
        if part not in _STANDING_IN
    }
    lines = [
        "computed from that, for pictures of "
        f"{_DRAWS:g} s, workers of {_SLOTS} slots, processes at {_CORE:.0%} of a core:"
    ]
    for rate in rates:
        cores = {part: rate * seconds for part, seconds in cost.items()}
        workers = max(
            _whole(rate * _DRAWS / _SLOTS),
            _whole(cores["worker"] / _CORE),
            _whole(cores["Cog server"] / _CORE),
        )
        lines.append(
            f"{rate:g} a second: {rate * _DRAWS:.0f} slots, {_whole(cores['API'] / _CORE)} APIs, "
            f"{workers} workers with a Cog server each; cores: "
            + ", ".join(f"{part} {each:.2f}" for part, each in cores.items())
            + f"; {rate * used.transactions / predictions:.0f} transactions and "
            f"up to {rate * used.flushes / predictions:.0f} flushes a second"
        )
    return lines


def _whole(number: float) -> int:
    return int(-(-number // 1))
