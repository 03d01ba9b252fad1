"""The SQL by which a worker takes a prediction, as soon as its account at the upstream has room."""

import secrets
from typing import Any

from sqlalchemy import case, delete, insert, update
from sqlalchemy.sql.dml import ReturningUpdate

from api.database import Connection, Database
from api.ids import now
from api.predictions import statements
from api.predictions.accounts import OPERATORS, Allowance, Counted, HeldBack, full_until
from api.predictions.prediction import Prediction
from api.predictions.reads import Reads
from api.tables import accounts

_A = accounts.c
_UNBOUNDED = Allowance()
_FORGET_SECONDS = 86400.0  # after which it is not remembered that an account had to wait


class Taking(Reads):
    """The tables `predictions` and `accounts`.

    Args:
        allowance: of the operator's own account.
    """

    def __init__(self, database: Database, allowance: Allowance = _UNBOUNDED) -> None:
        super().__init__(database)
        self._allowance = allowance

    async def take(self, prediction_id: str, owner: str) -> Prediction | None:
        """QUEUED to TAKEN, with a number and a Cog id of its own for this attempt.

        Raises:
            HeldBack: its account must wait.
        """
        taken = await self._take(statements.TAKE, owner, the_id=prediction_id)
        if taken is None:
            await self._tell_if_held_back(prediction_id)
        return taken

    async def take_next(self, owner: str, model: str) -> Prediction | None:
        """The same for the one of this model whose turn it is; for the queue of many processes.

        One that another process takes at this moment is passed over, and so are those whose
        account must wait.
        """
        while True:
            try:
                return await self._take(statements.TAKE_NEXT, owner, the_model=model)
            except HeldBack:
                continue

    async def hold(self, account: str, until: float) -> None:
        """Send nothing more for the account before then."""
        this_one = _A.id == account
        later = case((_A.held_until > until, _A.held_until), else_=until)
        held = update(accounts).where(this_one).values(held_until=later).returning(_A.id)
        old = delete(accounts).where(_A.held_until < now() - _FORGET_SECONDS)

        def note(connection: Connection) -> None:
            if not connection.execute(held).first():
                row = {"id": account, "held_until": until}
                connection.execute(insert(accounts).values(row))
            connection.execute(old)

        await self._database.write(note, durable=False, turn_of="hold an account")

    async def _take(
        self, take: ReturningUpdate[Any], owner: str, **which: object
    ) -> Prediction | None:
        # A secret: Cog shows whoever repeats it the whole input, keys included.
        cog_id = secrets.token_hex(16)
        values = which | {"the_owner": owner, "the_cog_id": cog_id, "the_now": now()}
        is_limited = self._allowance.weight is not None

        def taken(connection: Connection) -> Prediction | None:
            row = connection.execute(take, values).mappings().first()
            prediction = Prediction.of(row) if row else None
            if prediction and is_limited and prediction.account == OPERATORS:
                self._check_room(connection, prediction)
            return prediction

        # One at a time where it is counted: the count must stay true until it is committed.
        turn = "take" if is_limited else None
        try:
            return await self._database.write(taken, durable=False, turn_of=turn)
        except HeldBack as held:
            await self.hold(held.account, held.until)
            raise

    def _check_room(self, connection: Connection, taken: Prediction) -> None:
        """Raises HeldBack where there is none, which undoes the taking."""
        time = now()
        which = {
            "the_account": taken.account,
            "the_id": taken.id,
            "the_since": time - self._allowance.seconds,
        }
        rows = connection.execute(statements.COUNTED, which).mappings().all()
        theirs = [row for row in rows if row["account"] == taken.account]
        counted = [Counted(row["sent_at"] or time, row["weight"]) for row in theirs]
        until = full_until(counted, taken.weight, self._allowance)
        if until is not None:
            raise HeldBack(taken.account, until)

    async def _tell_if_held_back(self, prediction_id: str) -> None:
        which = {"the_id": prediction_id, "the_now": now()}
        held = await self._database.read(
            lambda connection: connection.execute(statements.HELD_BACK, which).mappings().first()
        )
        if held:
            raise HeldBack(held["id"], held["held_until"])
