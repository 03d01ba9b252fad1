"""How soon a slot that gets free has its next prediction, where 1,000 wait and 256 run.

    python -m benchmarks.api_cluster.slots 60

The argument is how many seconds a prediction takes on average. Four workers have 64 slots each; ten
tenants send between 14 and 800 predictions, and once all of them wait or run, one more sends one.

Each worker's k-th end (`completed_at`) frees the slot that its (64 + k)-th start (`sent_at`) fills.
"""

import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from api.database.postgres import Postgres
from api.sealing import Keyring
from api.tenants import Tenants
from benchmarks.api_cluster.places import Places, create, places, tell
from benchmarks.machine import describe

_WORKERS, _SLOTS = 4, 64
_BUSY = {f"busy-{number}": 80 for number in range(5)}
_SMALL = {f"small-{number}": 14 for number in range(4)}
_QUEUED = {"hoarder": 800} | _BUSY | _SMALL
_LAST = "last"
_CALLERS = 4
_ROWS = """
SELECT owner, tenants.name, predictions.created_at, sent_at, completed_at, state
FROM predictions JOIN tenants ON tenants.id = tenant_id ORDER BY predictions.created_at
"""


def main() -> None:
    """Print the times from slot to start, and how long each tenant's first and last waited."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print(describe())
    with places(apis=2, workers=_WORKERS, slots=_SLOTS) as there:
        tokens = asyncio.run(_tokens(there))
        _queue_all(there, tokens, seconds)
        print(f"{_waiting(there)} wait, {_running(there)} run.")
        create(there.cluster.apis[0], _prompt(seconds), token=tokens[_LAST])
        while _waiting(there) + _running(there):
            time.sleep(2.0)
        rows = there.rows(_ROWS)
    assert {row[-1] for row in rows} == {"succeeded"}
    tell("from a free slot to the next start", _gaps(rows))
    _tell_of_tenants(rows)


async def _tokens(there: Places) -> dict[str, str]:
    database = Postgres(there.database_url, connections=2)
    tenants = Tenants(database, Keyring([there.key]))
    made = {name: await tenants.create_token(name) for name in (*_QUEUED, _LAST)}
    await database.close()
    return made


def _prompt(seconds: float) -> str:
    return f"A lighthouse [sandbox:slow seconds={random.uniform(0.5, 1.5) * seconds:.1f}]"


def _queue_all(there: Places, tokens: dict[str, str], seconds: float) -> None:
    whose = [name for name, count in _QUEUED.items() for _ in range(count)]

    def send(number: int) -> None:
        api = there.cluster.apis[number % 2]
        create(api, _prompt(seconds), token=tokens[whose[number]])

    with ThreadPoolExecutor(_CALLERS) as callers:
        for _ in callers.map(send, range(len(whose))):
            pass


def _waiting(there: Places) -> int:
    return len(there.rows("SELECT 1 FROM predictions WHERE state = 'queued'"))


def _running(there: Places) -> int:
    return len(there.rows("SELECT 1 FROM predictions WHERE state IN ('taken', 'sent')"))


def _gaps(rows: Sequence[tuple[str, str, float, float, float, str]]) -> list[float]:
    starts, ends = defaultdict(list), defaultdict(list)
    for owner, _, _, sent, ended, _ in rows:
        starts[owner].append(sent)
        ends[owner].append(ended)
    return [
        start - end
        for owner, sent in starts.items()
        for start, end in zip(sorted(sent)[_SLOTS:], sorted(ends[owner]), strict=False)
    ]


def _tell_of_tenants(rows: Sequence[tuple[str, str, float, float, float, str]]) -> None:
    waited = defaultdict(list)
    for _, tenant, created, sent, _, _ in rows:
        waited[tenant].append(sent - created)
    print(f"{'tenant':10} {'sent':>5} {'first waited':>13} {'longest':>9}  seconds")
    for tenant, each in waited.items():
        print(f"{tenant:10} {len(each):>5} {each[0]:>13.1f} {max(each):>9.1f}")


if __name__ == "__main__":
    main()
