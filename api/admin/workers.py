"""Which workers there are, and asking one to take nothing more."""

from dataclasses import dataclass

from sqlalchemy import select, update

from api.admin.refusal import Refused
from api.database import Database
from api.ids import now
from api.predictions.beats import SILENT_SECONDS
from api.tables import workers

_W = workers.c


@dataclass(frozen=True)
class Present:
    """A worker, as it told last."""

    name: str
    slots: int
    busy: int
    state: str
    """works, drains or silent."""
    silent_seconds: float


async def listed(database: Database) -> list[Present]:
    """All that have told of themselves in a day, by name."""
    found = select(workers).order_by(_W.name)
    rows = await database.read(lambda connection: connection.execute(found).mappings().all())
    present = []
    for row in rows:
        silent = max(now() - row["beat_at"], 0.0)
        state = "drains" if row["drains"] else "works"
        state = "silent" if silent > SILENT_SECONDS else state
        present.append(Present(row["name"], row["slots"], row["busy"], state, silent))
    return present


async def drain(database: Database, name: str) -> None:
    """Ask it, which it heeds within seconds: nothing more is taken until it is started anew.

    Raises:
        Refused: there is no such worker.
    """
    asked = update(workers).where(_W.name == name).values(drains=True).returning(_W.name)
    if await database.write(lambda connection: connection.execute(asked).first()) is None:
        raise Refused(f"There is no worker {name}; `python -m api admin workers` lists them.")
