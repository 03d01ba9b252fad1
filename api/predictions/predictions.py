"""What dialects may ask of predictions: accept, look, wait, cancel."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakValueDictionary

from api.database import Database
from api.predictions.acceptance import Acceptance, Accepted, AcceptedGroup
from api.predictions.answers import Answers
from api.predictions.changes import Changes
from api.predictions.listing import Page, listed
from api.predictions.prediction import End, NewPrediction, Prediction, State
from api.predictions.queue import Queue
from api.predictions.store import Store
from api.tenants import Tenant

log = logging.getLogger(__name__)

_CANCEL_SECONDS = 3.0  # so long a cancel's answer waits for its end


class Predictions:
    """All predictions, as their tenants see them."""

    def __init__(
        self,
        database: Database,
        store: Store,
        acceptance: Acceptance,
        answers: Answers,
        queue: Queue,
        changes: Changes,
        logs_of: Callable[[Prediction], str],
        on_change: Callable[[Prediction], None],
    ) -> None:
        self._database = database
        self._store = store
        self._acceptance = acceptance
        self._queue = queue
        self._changes = changes
        self._logs_of = logs_of
        self._on_change = on_change
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.answers = answers
        """Tell it what becomes of the first answer to each prediction."""

    def turn_of(self, request_hash: str) -> asyncio.Lock:
        """Held from where a request is known until it is accepted.

        A client that hung up may send again before its first request is accepted: the second one
        waits here, and then finds the first.
        """
        return self._turns.setdefault(request_hash, asyncio.Lock())

    async def accept(
        self,
        new: NewPrediction,
        tenant: Tenant,
        *,
        began_at: float,
        says_it_repeats: bool,
        hung_up: Callable[[], Awaitable[bool]],
    ) -> Accepted:
        """Store it and queue it; or find the one that this request repeats.

        Raises:
            Throttled: a limit of the tenant is reached.
        """
        self.answers.expect(new.id, hung_up)
        try:
            accepted = await self._acceptance.accept(
                new,
                tenant.limits,
                began_at=began_at,
                says_it_repeats=says_it_repeats,
                started_tag=self._queue.started_tag,
            )
        except BaseException:
            self.answers.forget(new.id)
            raise
        ids = {"prediction": accepted.prediction.id, "tenant": tenant.id}
        log.info("Accepted." if accepted.is_new else "Repeated.", extra=ids)
        if accepted.is_new:
            self._queue.put(accepted.prediction)
        else:
            self.answers.forget(new.id)
            self.answers.expect(accepted.prediction.id, hung_up)
        return accepted

    async def accept_group(
        self,
        news: Sequence[NewPrediction],
        tenant: Tenant,
        *,
        began_at: float,
        hung_up: Callable[[], Awaitable[bool]],
    ) -> AcceptedGroup:
        """Store and queue all of one group; or find the group that this request repeats.

        Raises:
            Throttled: a limit of the tenant is reached.
        """
        accepted = await self._acceptance.accept_group(
            news, tenant.limits, began_at=began_at, started_tag=self._queue.started_tag
        )
        for prediction in accepted.predictions:
            self.answers.expect(prediction.id, hung_up)
            ids = {"prediction": prediction.id, "tenant": tenant.id}
            log.info("Repeated." if accepted.repeats else "Accepted.", extra=ids)
            if not accepted.repeats:
                self._queue.put(prediction)
        return accepted

    async def group(self, tenant: Tenant, group_id: str) -> list[Prediction]:
        """The tenant's own predictions of a group, in their order; none where there is no such."""
        return await self._store.group(tenant.id, group_id)

    async def get(self, prediction_id: str, tenant: Tenant) -> Prediction | None:
        """The prediction, if the tenant may see it."""
        found = await self._store.get(prediction_id)
        if found and (tenant.is_operator or found.tenant_id == tenant.id):
            return found
        return None

    async def page(self, page: Page) -> list[Prediction]:
        """A page of the list."""
        return await listed(self._database, page)

    def logs_of(self, prediction: Prediction) -> str:
        """The log lines so far."""
        return self._logs_of(prediction)

    async def ended(self, prediction_id: str, within: float) -> Prediction | None:
        """The prediction once it has ended; or as it is when so many seconds have passed."""
        give_up = asyncio.get_running_loop().time() + within
        changed = self._changes.next(prediction_id)
        present = await self._store.get(prediction_id)
        while present is not None and not present.has_ended:
            left = give_up - asyncio.get_running_loop().time()
            await asyncio.wait([changed], timeout=max(left, 0.0))
            if not changed.done():
                break
            present = changed.result()
            changed = self._changes.next(prediction_id)
        changed.cancel()
        return present

    async def cancel(self, prediction: Prediction) -> Prediction:
        """Cancel it: at once where nothing was sent, else as soon as Cog has ended it."""
        canceled = await self._store.end_waiting(prediction.id, End(State.CANCELED))
        if canceled:
            self._on_change(canceled)
            return canceled
        asked = await self._store.ask_to_cancel(prediction.id)
        if asked is None:
            return await self._store.get(prediction.id) or prediction
        self._changes.tell(asked)
        return await self.ended(prediction.id, _CANCEL_SECONDS) or prediction


def request_hash(token_id: str, path: str, body: bytes) -> str:
    """What equal requests of one token have in common."""
    digest = hashlib.sha256(f"{token_id}\n{path}\n".encode())
    digest.update(body)
    return digest.hexdigest()
