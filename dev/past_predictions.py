"""Copies of a prediction in the past, for galleries and charts that would take days to fill."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing

from api.ids import new_id
from dev.servers.api import Api

FAILED: Mapping[str, object] = {
    "state": "failed",
    "output": None,
    "error": "ModerationBlocked: The prompt was refused; change it.",
    "metrics": json.dumps({"error_class": "ModerationBlocked"}),
}


def copy(
    api: Api, prediction_id: str, copies: Iterable[tuple[float, Mapping[str, object]]]
) -> None:
    """Write copies of an ended prediction's row, beside the running API.

    Each is made at a time, in seconds since the epoch, and with changes of its own.
    """
    with closing(sqlite3.connect(api.data / "api.db", timeout=30)) as database, database:
        database.row_factory = sqlite3.Row
        (row,) = database.execute("SELECT * FROM predictions WHERE id = ?", (prediction_id,))
        rows = [{**row, **_at(time), **changes} for time, changes in copies]
        names = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        database.executemany(f"INSERT INTO predictions ({names}) VALUES ({marks})", rows)  # noqa: S608 - names of our own columns


def _at(time: float) -> dict[str, object]:
    return {
        "id": new_id(),
        "cog_id": None,
        "caller_id": None,
        "created_at": time,
        "started_at": time + 1,
        "completed_at": time + 12.5,
    }
