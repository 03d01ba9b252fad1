"""Deploys and deaths, at their times; what died is started again, as its supervisor would."""

import random
import time
from collections.abc import Sequence

from benchmarks.api_day.meter import Meter
from benchmarks.api_day.plan import Trouble
from dev.servers.api import Api
from dev.servers.cluster import Cluster

_DRAINS_WITHIN = 60.0  # seconds; far more than a prediction takes here
_AWAY = (0.5, 3.0)  # seconds until somebody starts it again


def suffer(
    troubles: Sequence[tuple[float, Trouble]],
    unit: float,
    running: Cluster,
    meter: Meter,
    seed: int,
) -> list[str]:
    """All of them, each at its time; what was done, one line each.

    Args:
        unit: the seconds of one of the hours in which their times are given.
    """
    started, dice, done = time.monotonic(), random.Random(seed), []
    for at, trouble in troubles:
        while (wait := started + at * unit - time.monotonic()) > 0:
            time.sleep(min(wait, 0.5))
            meter.look()
        began = time.monotonic()
        whom = _do(trouble, running, meter, dice)
        seconds = time.monotonic() - began
        done.append(f"{at:04.1f} h: {trouble}{whom}, {seconds:.1f} s until all was back")
    return done


def _do(trouble: Trouble, running: Cluster, meter: Meter, dice: random.Random) -> str:
    if trouble is Trouble.DEPLOY:
        for process in (*running.apis, *running.workers):
            _restart(process, meter)
        return ""
    away = dice.uniform(*_AWAY)
    if trouble is Trouble.COG_DIES:
        number = dice.randrange(len(running.cogs))
        meter.look()
        running.cogs[number].kill()
        time.sleep(away)
        running.cogs[number].start()
        return f" {number}"
    processes = running.apis if trouble is Trouble.API_DIES else running.workers
    number = dice.randrange(len(processes))
    meter.look()
    processes[number].kill()
    time.sleep(away)
    processes[number].start()
    return f" {number}"


def _restart(process: Api, meter: Meter) -> None:
    """What a rollout does: SIGTERM, its end waited for, then the new one until it is ready."""
    meter.look()
    assert process.server
    process.server.stop(within=_DRAINS_WITHIN)
    process.start()
