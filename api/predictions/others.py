"""Tells those who wait in this process what other processes have done to their predictions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from api.database.notices import Notice, Notices
from api.predictions.changes import Changes
from api.predictions.prediction import State
from api.predictions.shared_queue import SharedQueue
from api.predictions.store import Store
from api.predictions.worker import Background
from api.settings import Settings


@asynccontextmanager
async def hearing(
    settings: Settings,
    names: Sequence[str],
    queue: SharedQueue,
    changes: Changes,
    store: Store,
) -> AsyncIterator[None]:
    """Listen to Postgres, holding these names.

    Raises:
        BadSettings: another process holds one of them.
    """
    background = Background()

    async def tell(prediction_id: str) -> None:
        if prediction := await store.get(prediction_id):
            changes.tell(prediction)

    def hear(notice: Notice) -> None:
        queue.hear(notice.state, notice.tag)
        if notice.state != State.TAKEN and changes.awaits(notice.prediction_id):
            background.start(tell(notice.prediction_id))

    async def tell_all() -> None:
        for prediction_id in changes.awaited():
            await tell(prediction_id)

    def listen_anew() -> None:
        queue.look()
        background.start(tell_all())

    assert settings.database_url  # noqa: S101 - for mypy; nothing else is shared
    url = settings.database_url.get_secret_value()
    notices = Notices(url, names, hear=hear, listen_anew=listen_anew)
    await notices.begin()
    listening = asyncio.create_task(notices.keep_listening())
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        await notices.stop()
        await background.stop()
