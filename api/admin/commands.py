"""The commands below `python -m api admin`: what they take, and what they print."""

import argparse
import math
from pathlib import Path
from typing import Any

from api.admin import backup, predictions, purge, tenants, workers
from api.admin.refusal import Refused
from api.database import Database
from api.files.files import Files
from api.settings import Settings

_NONE = "none"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add them."""
    admin = commands.add_parser("admin", help="look after a running API")
    actions = admin.add_subparsers(dest="action", required=True)
    limits = actions.add_parser("limits", help="show a tenant's limits, or set some")
    limits.add_argument("tenant")
    for name in tenants.LIMITS:
        limits.add_argument(f"--{name.replace('_', '-')}", type=_amount, metavar="N")
    spend = actions.add_parser("spend", help="what each tenant has spent")
    spend.add_argument("--days", type=float, default=1.0)
    requeue = actions.add_parser(
        "requeue", help="queue again what failed before it was sent, and so was not paid"
    )
    requeue.add_argument(
        "--hours",
        type=float,
        default=1.0,
        metavar="N",
        help="those that failed in the last N hours",
    )
    actions.add_parser("workers", help="list the workers")
    drain = actions.add_parser("drain", help="let a worker take nothing more")
    drain.add_argument("worker")
    purged = actions.add_parser("purge", help="remove all that a tenant has left here")
    purged.add_argument("tenant")
    backed_up = actions.add_parser("backup", help="copy the data directory; the API may be running")
    backed_up.add_argument("to", type=Path, metavar="DIRECTORY")


async def run(
    arguments: argparse.Namespace, settings: Settings, database: Database, files: Files
) -> str:
    """What the command has to say.

    Raises:
        Refused: it did nothing; the sentence says why.
    """
    match arguments.action:
        case "limits":
            return await _limits(arguments, database)
        case "spend":
            rows = await tenants.spent(database, arguments.days)
            return _table(
                [(each.tenant, each.predictions, f"${each.dollars:.2f}") for each in rows]
            )
        case "requeue":
            return await _requeue(arguments, settings, database)
        case "workers":
            present = await workers.listed(database)
            return _table(
                [(each.name, each.state, f"{each.busy} of {each.slots} slots") for each in present]
            )
        case "drain":
            await workers.drain(database, arguments.worker)
            return f"{arguments.worker} takes nothing more, from within 5 seconds on."
        case "purge":
            count, file_count = await purge.purge(database, files, arguments.tenant)
            return f"{count} predictions and {file_count} files of {arguments.tenant} are gone."
        case _:
            count = backup.back_up(settings, arguments.to)
            return f"The database, {count} files and the key are in {arguments.to}."


async def _limits(arguments: argparse.Namespace, database: Database) -> str:
    given: dict[str, Any] = {
        name: value for name in tenants.LIMITS if (value := getattr(arguments, name)) is not None
    }
    for name, value in given.items():
        if name == "dollars_a_day":
            given[name] = None if value == _NONE else value
        elif value == _NONE:
            raise Refused(f"Only dollars-a-day can be none; give {name} a number.")
        else:
            given[name] = int(value)
    now = await tenants.limits(database, arguments.tenant, given)
    shown = [(name, getattr(now, name)) for name in tenants.LIMITS]
    return _table([(name, _NONE if value is None else f"{value:,}") for name, value in shown])


async def _requeue(arguments: argparse.Namespace, settings: Settings, database: Database) -> str:
    again, without = await predictions.requeue(database, arguments.hours, settings.reserved_dollars)
    lines = [*again, f"{len(again)} predictions are queued again."]
    if without:
        lines.append(f"{len(without)} cannot be, since their secrets were removed when they ended.")
    return "\n".join(lines)


def _amount(text: str) -> float | str:
    if text == _NONE:
        return text
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 on")
    return amount


def _table(rows: list[tuple[object, ...]]) -> str:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = (
        [max(len(row[column]) for row in texts) for column in range(len(texts[0]))] if texts else []
    )
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    )
