"""All that is asked of accepted predictions and changes nothing; lists are in listing.py."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from api.database import Connection, Database
from api.ids import now
from api.predictions import statements
from api.predictions.prediction import UNFINISHED, Prediction, State
from api.tables import accounts, predictions

_P = predictions.c
_A = accounts.c


class Reads:
    """The table `predictions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, prediction_id: str) -> Prediction | None:
        """The prediction, whoever's it is."""
        return await self._one(statements.BY_ID, the_id=prediction_id)

    async def by_cog_id(self, cog_id: str) -> Prediction | None:
        """The prediction whose present attempt Cog knows by that id."""
        return await self._one(statements.BY_COG_ID, the_cog_id=cog_id)

    async def group(self, tenant_id: str, group_id: str) -> list[Prediction]:
        """The predictions of a group, in their order."""
        return await self._many(
            and_(_P.tenant_id == tenant_id, _P.group_id == group_id), _P.caller_id
        )

    async def unfinished(self) -> list[Prediction]:
        """All that have not ended."""
        return await self._many(_P.state.in_(UNFINISHED))

    async def queued(self) -> list[Prediction]:
        """All that wait for a worker."""
        return await self._many(_P.state == State.QUEUED)

    async def any_may_end_by_itself(self, owner: str) -> bool:
        """Whether a prediction of that worker's is with Cog, and its deadline has not passed."""
        may_end = and_(_P.owner == owner, _P.state == State.SENT, _P.deadline > now())
        found = select(_P.id).where(may_end).limit(1)
        first = await self._database.read(lambda connection: connection.execute(found).first())
        return first is not None

    async def overdue(self) -> list[Prediction]:
        """Those that wait, and whose deadline has passed."""
        return await self._all(statements.OVERDUE, the_deadline=now())

    async def last_started_tag(self) -> float:
        """The tag of the prediction that was sent last: where the fair order has come to."""
        found = select(_P.tag).where(_P.sent_at.is_not(None)).order_by(_P.sent_at.desc()).limit(1)
        last = await self._database.read(lambda connection: connection.execute(found).scalar())
        return last or 0.0

    async def count_unfinished(self) -> dict[str, int]:
        """How many predictions there are in each state that is no end.

        Of those that have ended there can be millions, and somebody asks every few seconds.
        """
        found = select(_P.state, func.count()).where(_P.state.in_(UNFINISHED)).group_by(_P.state)
        return dict(
            await self._database.read(lambda connection: connection.execute(found).tuples().all())
        )

    async def oldest_queued_at(self) -> float | None:
        """When the prediction was created that has waited longest."""
        found = select(func.min(_P.created_at)).where(_P.state == State.QUEUED)
        return await self._database.read(lambda connection: connection.execute(found).scalar())

    async def count_held_back(self) -> int:
        """How many wait because their account at the upstream must."""
        held = select(_A.id).where(_A.held_until > now())
        found = select(func.count()).where(_P.state == State.QUEUED, _P.account.in_(held))
        return await self._database.read(lambda connection: connection.execute(found).scalar_one())

    async def soonest(self, model: str) -> float | None:
        """When the first of this model's that wait may be taken."""
        return await self._database.read(
            lambda connection: connection.execute(statements.SOONEST, {"the_model": model}).scalar()
        )

    async def taken_by(self, owner: str) -> list[Prediction]:
        """What this owner has taken and not sent."""
        return await self._many(and_(_P.owner == owner, _P.state == State.TAKEN))

    async def sent_by(self, owner: str) -> list[Prediction]:
        """What this owner has sent and not ended."""
        return await self._many(and_(_P.owner == owner, _P.state == State.SENT))

    async def abandoned(self, grace: float) -> list[Prediction]:
        """Those sent whose deadline has passed for so many seconds: their worker is gone."""
        return await self._all(statements.ABANDONED, the_deadline=now() - grace)

    async def _one(self, found: Select[Any], **which: str) -> Prediction | None:
        def one(connection: Connection) -> Prediction | None:
            row = connection.execute(found, which).mappings().first()
            return Prediction.of(row) if row else None

        return await self._database.read(one)

    async def _many(
        self, condition: ColumnElement[bool], *order: ColumnElement[Any]
    ) -> list[Prediction]:
        order = order or (_P.created_at, _P.id)
        return await self._all(select(predictions).where(condition).order_by(*order))

    async def _all(self, found: Select[Any], **which: object) -> list[Prediction]:
        def all_of_them(connection: Connection) -> list[Prediction]:
            return [Prediction.of(row) for row in connection.execute(found, which).mappings()]

        return await self._database.read(all_of_them)
