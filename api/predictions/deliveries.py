"""What a prediction's end owes to its caller: webhooks, and outputs put where the caller said."""

from collections.abc import Iterator

from sqlalchemy import insert

from api.database import Connection
from api.ids import new_id, now
from api.predictions.prediction import Prediction, State
from api.tables import deliveries

WEBHOOK, UPLOAD = "webhook", "upload"

Delivery = tuple[str, str, int | None]
"""Kind, address, and the place of the output that it is about."""


def queue_deliveries(connection: Connection, ended: Prediction) -> None:
    """Store them, in the transaction that ends the prediction."""
    rows = [
        {
            "id": f"msg_{new_id()}",
            "prediction_id": ended.id,
            "tenant_id": ended.tenant_id,
            "url": url,
            "next_at": now(),
            "created_at": now(),
            "kind": kind,
            "place": place,
        }
        for kind, url, place in deliveries_of(ended)
    ]
    for row in rows:
        connection.execute(insert(deliveries).values(row))


def deliveries_of(ended: Prediction) -> Iterator[Delivery]:
    """One for the prediction, or one for each of its outputs; a failure is one in any case."""
    places = range(len(ended.output)) if _has_outputs(ended) else ()
    if ended.webhook and "completed" in ended.webhook_events:
        yield WEBHOOK, ended.webhook, None
    if ended.webhook and "result" in ended.webhook_events:
        for place in places or (None,):
            yield WEBHOOK, ended.webhook, place
    if ended.upload_url:
        for place in places:
            yield UPLOAD, ended.upload_url, place


def _has_outputs(ended: Prediction) -> bool:
    return ended.state is State.SUCCEEDED and isinstance(ended.output, list)
