"""What operators watch, for Prometheus, on a port of its own. No key, no prompt, no address."""

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.ids import now
from api.predictions.prediction import UNFINISHED, Prediction, State
from api.predictions.store import Store

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600)

PREDICTIONS = Gauge("api_predictions", "Predictions that have not ended, by state.", ["state"])
SLOTS_WANTED = Gauge("api_slots_wanted", "Predictions that run or could: each takes a slot.")
QUEUE_LENGTH = Gauge("api_queue_length", "Predictions that wait for a slot.")
QUEUE_OLDEST = Gauge("api_queue_oldest_seconds", "How long the oldest of them has waited.")
HELD_BACK = Gauge(
    "api_held_back", "Those of them that wait for their account's limit at the upstream."
)
ENDED = Counter("api_predictions_ended", "Predictions that have ended, by how.", ["state"])
WAITING = Histogram("api_waiting_seconds", "From acceptance until Cog began.", buckets=_SECONDS)
RUNNING = Histogram("api_running_seconds", "From Cog's beginning to the end.", buckets=_SECONDS)
DELIVERING = Histogram(
    "api_delivering_seconds", "From the end until the webhook had arrived.", buckets=_SECONDS
)
WEBHOOK_FAILURES = Counter("api_webhook_failures", "Tries to send a webhook that failed.")
FETCHES_REFUSED = Counter(
    "api_fetches_refused", "Addresses of callers that lead where they must not."
)
DOLLARS = Counter("api_dollars", "What ended predictions have cost, as far as they told.")


def note_end(prediction: Prediction) -> None:
    """Count a prediction that has just ended."""
    ENDED.labels(prediction.state).inc()
    completed_at = prediction.completed_at or now()
    WAITING.observe((prediction.started_at or completed_at) - prediction.created_at)
    if prediction.started_at is not None:
        RUNNING.observe(completed_at - prediction.started_at)
    dollars = (prediction.metrics or {}).get("cost_usd")
    if isinstance(dollars, int | float) and dollars > 0:
        DOLLARS.inc(dollars)


def create_metrics(store: Store) -> Starlette:
    """The application that is scraped."""

    async def metrics(_request: Request) -> Response:
        counts = await store.count_unfinished()
        for state in UNFINISHED:
            PREDICTIONS.labels(state).set(counts.get(state, 0))
        held_back = await store.count_held_back()
        HELD_BACK.set(held_back)
        # Another worker would be of no use to those.
        SLOTS_WANTED.set(max(0, sum(counts.values()) - held_back))
        QUEUE_LENGTH.set(counts.get(State.QUEUED, 0))
        oldest = await store.oldest_queued_at()
        QUEUE_OLDEST.set(now() - oldest if oldest is not None else 0)
        return Response(generate_latest(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/metrics", metrics)])
