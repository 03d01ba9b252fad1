"""Webhooks to callers: signed, and the last one tried until it arrives or is given up.

What else a prediction's end owes is tried in the same way: outputs that are put somewhere.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from standardwebhooks import Webhook

from api.database import Database
from api.fetching import Fetcher, FetchFailed, FetchRefused
from api.ids import new_id, now
from api.metrics import DELIVERING, FETCHES_REFUSED, WEBHOOK_FAILURES
from api.predictions.deliveries import UPLOAD
from api.predictions.prediction import Prediction
from api.predictions.store import Store
from api.sealing import NotOpened
from api.tables import deliveries
from api.tenants import Tenants

log = logging.getLogger(__name__)

_SECONDS = 20.0  # for the receiver's answer
_AT_ONCE = 32
_LONGEST_WAIT = 600.0
_APART = 0.5  # seconds between two events of a kind for one prediction, as at Replicate
_IDLE = 30.0
_IDLE_AMONG_OTHERS = 5.0  # seconds; the process that had it to send may be gone
_LEASE = 25.0  # seconds for which a webhook is one process's to send: more than one try takes

Render = Callable[[Prediction, int | None], Awaitable[bytes]]
"""The body of a webhook, about one output where its place is given."""
Upload = Callable[[Prediction, int], Awaitable[bool]]
"""Puts an output where its caller wants it; whether it arrived."""


@dataclass(frozen=True)
class _Delivery:
    id: str
    prediction_id: str
    attempts: int
    kind: str
    place: int | None
    next_at: float


class Webhooks:
    """Sends them.

    Args:
        render: the body, as the caller's dialect wants it.
        attempts: how often the last one is tried.
    """

    def __init__(
        self,
        database: Database,
        tenants: Tenants,
        fetcher: Fetcher,
        render: Render,
        upload: Upload,
        *,
        attempts: int,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._fetcher = fetcher
        self._render = render
        self._upload = upload
        self._attempts = attempts
        self._due = asyncio.Event()
        self._sent_at: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: set[str] = set()

    def tell(self, prediction: Prediction, event: str) -> None:
        """Something happened. All but the last event are sent once, and not too often."""
        if event == "completed":
            for kind in ("logs", "output"):
                self._sent_at.pop((prediction.id, kind), None)
            if prediction.webhook or prediction.upload_url:
                self._due.set()
            if prediction.output is None or "completed" in prediction.webhook_events:
                return
            # Outputs are shown only whole: some clients take the first one for the end.
            event = "output"
        if not prediction.webhook or event not in prediction.webhook_events:
            return
        last = self._sent_at.get((prediction.id, event), 0.0)
        if event != "start":
            if now() - last < _APART:
                return
            self._sent_at[prediction.id, event] = now()
        self._start(self._send_once(prediction))

    async def keep_delivering(self) -> None:
        """Deliver what is due, until cancelled; what a crash has interrupted is due again."""
        while True:
            self._due.clear()
            try:
                wait = await self._deliver_due()
            except Exception:
                log.exception("Could not look for webhooks that are due; will try again.")
                wait = 1.0
            try:
                async with asyncio.timeout(wait):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """End what is being sent; the last event of each prediction is sent again at the start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver_due(self) -> float:
        """Seconds until the next one is due."""
        soonest = (
            select(deliveries)
            .where(deliveries.c.id.not_in(self._in_flight))
            .order_by(deliveries.c.next_at)
            .limit(_AT_ONCE)
        )
        rows = await self._database.read(
            lambda connection: connection.execute(soonest).mappings().all()
        )
        for row in rows:
            wait: float = row["next_at"] - now()
            if wait > 0:
                return wait
            if len(self._in_flight) >= _AT_ONCE:
                break
            self._in_flight.add(row["id"])
            named = {name: row[name] for name in _Delivery.__dataclass_fields__}
            self._start(self._deliver(_Delivery(**named)))
        return _IDLE_AMONG_OTHERS if self._database.is_shared else _IDLE

    async def _deliver(self, delivery: _Delivery) -> None:
        try:
            await self._try(delivery)
        except Exception:
            log.exception("A webhook could not be noted; it will be sent again.")
            await asyncio.sleep(1.0)
        finally:
            self._in_flight.discard(delivery.id)
            self._due.set()

    async def _try(self, delivery: _Delivery) -> None:
        if self._database.is_shared and not await self._claim(delivery):
            return
        prediction = await Store(self._database).get(delivery.prediction_id)
        if prediction is None or prediction.removed_at is not None:
            await self._forget(delivery)
            return
        if await self._arrived(prediction, delivery):
            DELIVERING.observe(now() - (prediction.completed_at or now()))
            await self._forget(delivery)
        elif delivery.attempts + 1 >= self._attempts:
            log.warning("A %s was given up.", delivery.kind, extra={"prediction": prediction.id})
            await self._forget(delivery)
        else:
            wait = min(2.0**delivery.attempts, _LONGEST_WAIT)
            later = update(deliveries).where(deliveries.c.id == delivery.id)
            values = {"attempts": delivery.attempts + 1, "next_at": now() + wait}
            later = later.values(values)
            await self._database.write(lambda connection: connection.execute(later))

    async def _claim(self, delivery: _Delivery) -> bool:
        """Whether it is ours to send; if we end over it, another process sends it later."""
        unclaimed = (deliveries.c.id == delivery.id, deliveries.c.next_at == delivery.next_at)
        claimed = update(deliveries).where(*unclaimed).values(next_at=now() + _LEASE)
        found = await self._database.write(
            lambda connection: connection.execute(claimed.returning(deliveries.c.id)).first()
        )
        return found is not None

    async def _arrived(self, prediction: Prediction, delivery: _Delivery) -> bool:
        if delivery.kind == UPLOAD and delivery.place is not None:
            return await self._upload(prediction, delivery.place)
        return await self._post(prediction, delivery.id, delivery.place)

    async def _forget(self, delivery: _Delivery) -> None:
        arrived = delete(deliveries).where(deliveries.c.id == delivery.id)
        await self._database.write(lambda connection: connection.execute(arrived))

    async def _send_once(self, prediction: Prediction) -> None:
        await self._post(prediction, f"msg_{new_id()}")

    async def _post(
        self, prediction: Prediction, webhook_id: str, place: int | None = None
    ) -> bool:
        """Whether it arrived."""
        try:
            body = await self._render(prediction, place)
            headers = await self._headers(prediction.tenant_id, webhook_id, body)
            arrived = (
                200
                <= await self._fetcher.post(
                    str(prediction.webhook), body, headers, seconds=_SECONDS, entry="The webhook"
                )
                < 300
            )
        except (FetchFailed, NotOpened) as failure:
            log.info("A webhook failed: %s", failure, extra={"prediction": prediction.id})
            if isinstance(failure, FetchRefused):
                FETCHES_REFUSED.inc()
            arrived = False
        except Exception:
            log.exception("A webhook could not be sent.", extra={"prediction": prediction.id})
            arrived = False
        if not arrived:
            WEBHOOK_FAILURES.inc()
        return arrived

    async def _headers(self, tenant_id: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        sent_at = datetime.now(UTC)
        secret = await self._tenants.webhook_secret(tenant_id)
        return {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(secret).sign(webhook_id, sent_at, body.decode()),
        }

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
