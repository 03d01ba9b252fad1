"""What happens in a simulated day, from a seed: who asks when, and what is restarted or dies when.

Times are hours of that day.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

DAY = 24.0
SHOP, BATCH = "shop", "batch"
"""Tenants: people who ask through the day, and a script that asks for many at once."""
_BUSIEST = 15.0
_NIGHT = 0.15  # of the rate at the busiest hour
_BATCH_AT, _BATCH_OF = 2.0, 100
_DRAWS = 1.0  # seconds, the median; real pictures take 15 to 280 s, and a day is minutes here
_DRAWS_AT_MOST = 8.0
MINUTE = 10.0
"""Seconds of a minute of the upstream's account, since the day is short."""
_ALLOWED = 0.75  # of the rate at the busiest hour


class Behaviour(StrEnum):
    """How a caller learns of the end."""

    WAITS = "waits for the answer"
    POLLS = "asks now and then"
    IS_TOLD = "gets a webhook"


class Trouble(StrEnum):
    """What happens to the installation."""

    DEPLOY = "deploy: every API and every worker restarted, one after the other"
    API_DIES = "kill -9 of an API"
    WORKER_DIES = "kill -9 of a worker"
    COG_DIES = "kill -9 of a Cog server"


TROUBLES = (
    (5.0, Trouble.WORKER_DIES),
    (7.0, Trouble.API_DIES),
    (9.0, Trouble.DEPLOY),
    (11.0, Trouble.COG_DIES),
    (12.0, Trouble.WORKER_DIES),
    (14.0, Trouble.API_DIES),
    (16.0, Trouble.WORKER_DIES),
    (17.0, Trouble.COG_DIES),
    (18.0, Trouble.DEPLOY),
    (20.0, Trouble.API_DIES),
    (21.0, Trouble.WORKER_DIES),
)


@dataclass(frozen=True)
class Wish:
    """One prediction that somebody will want."""

    number: int
    """In its prompt, and so in the sandbox's ledger."""
    at: float
    tenant: str
    behaviour: Behaviour
    prompt: str


def draw(peak: float, hour: float, seed: int) -> list[Wish]:
    """A day's wishes, in their order.

    Args:
        peak: predictions a second at the busiest hour.
        hour: seconds that stand for one.
    """
    dice = random.Random(seed)
    times = sorted(
        [*((at, SHOP) for at in _arrivals(peak * hour, dice)), *((_BATCH_AT, BATCH),) * _BATCH_OF]
    )
    return [
        Wish(number, at, tenant, _behaviour(tenant, dice), _prompt(number, dice))
        for number, (at, tenant) in enumerate(times, start=1)
    ]


def images_per_minute(peak: float) -> int:
    """What the upstream's account may make: less than is asked for at night's batch and by day."""
    return max(1, round(peak * _ALLOWED * MINUTE))


def steady(rate: float, seconds: float, first: int, seed: int) -> list[Wish]:
    """Wishes at a constant rate, by chance; their times are seconds, and nothing goes wrong."""
    dice, at, found = random.Random(seed), 0.0, list[Wish]()
    while (at := at + dice.expovariate(rate)) < seconds:
        number = first + len(found)
        prompt = f"A lighthouse at dusk [#{number}] [sandbox:slow seconds={_DRAWS:g}]"
        found.append(Wish(number, at, SHOP, _behaviour(SHOP, dice), prompt))
    return found


def _arrivals(most_an_hour: float, dice: random.Random) -> Iterator[float]:
    at = 0.0
    while (at := at + dice.expovariate(most_an_hour)) < DAY:
        if dice.random() < _busy(at):
            yield at


def _busy(at: float) -> float:
    """The share of the busiest hour's rate."""
    return _NIGHT + (1 - _NIGHT) * (1 + math.cos((at - _BUSIEST) / DAY * 2 * math.pi)) / 2


def _behaviour(tenant: str, dice: random.Random) -> Behaviour:
    return Behaviour.IS_TOLD if tenant == BATCH else dice.choice(list(Behaviour))


def _prompt(number: int, dice: random.Random) -> str:
    seconds = min(dice.lognormvariate(math.log(_DRAWS), 0.6), _DRAWS_AT_MOST)
    return f"A lighthouse at dusk [#{number}] [sandbox:slow seconds={seconds:.2f}]"
