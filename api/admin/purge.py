"""Removing all that a tenant has left here."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from api.admin.refusal import Refused
from api.admin.tenants import tenant_id
from api.database import Database
from api.files.files import Files
from api.predictions.prediction import ENDED, UNFINISHED
from api.predictions.retention import forget
from api.tables import files, predictions

_P = predictions.c
_AT_ONCE = 200


async def purge(database: Database, stored: Files, name: str) -> tuple[int, int]:
    """Remove predictions, files and webhooks of the tenant: how many predictions, and files.

    Its tokens and limits stay.

    Raises:
        Refused: there is no such tenant, or it has unfinished predictions.
    """
    tenant = await database.read(lambda connection: tenant_id(connection, name))
    running = select(func.count()).where(_P.tenant_id == tenant, _P.state.in_(UNFINISHED))
    count = await database.read(lambda connection: connection.execute(running).scalar_one())
    if count:
        raise Refused(
            f"{name} has {count} unfinished predictions; cancel them or wait for their ends, then "
            "run this again."
        )
    # Files first: what a crash leaves is found again by the rows.
    some_files = select(files.c.id).where(files.c.tenant_id == tenant).limit(_AT_ONCE)
    file_count = 0
    while ids := await _ids(database, some_files):
        await stored.remove(ids)
        file_count += len(ids)
    ended = select(_P.id).where(_P.tenant_id == tenant, _P.state.in_(ENDED)).limit(_AT_ONCE)
    prediction_count = 0
    while ids := await _ids(database, ended):
        await forget(database, ids)
        prediction_count += len(ids)
    return prediction_count, file_count


async def _ids(database: Database, found: Select[Any]) -> Sequence[str]:
    return await database.read(lambda connection: connection.execute(found).scalars().all())
