"""What waits for its account at the upstream: in order, no longer than needed, in nobody's way."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from api.database import Database
from api.database.postgres import Postgres
from api.database.sqlite import Sqlite
from api.predictions.accounts import Allowance, Counted, account_of, full_until
from api.predictions.prediction import End, State
from api.predictions.queue import MemoryQueue, Queue
from api.predictions.shared_queue import SharedQueue
from api.predictions.store import Store
from api.sealing import Keyring
from api.tables import predictions
from dev.servers.postgres import Postgres as PostgresServer
from tests.api.conftest import BOTH
from tests.api.test_queue import MODEL, opened, waiting

pytestmark = pytest.mark.anyio

WINDOW = 1.0
SOON = 20.0


def queue_of(database: Database, most: int | None = 3) -> Queue:
    store = Store(database, Allowance(most, WINDOW))
    return SharedQueue(store) if database.is_shared else MemoryQueue(store)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = await opened(Sqlite(tmp_path / "api.db"))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = await opened(Postgres(server.create_database(), connections=8))
    yield database
    await database.close()


async def stand(
    database: Database, queue: Queue, id: str, tag: float, weight: int = 1, account: str = ""
) -> None:
    """Let one wait."""
    prediction = await waiting(database, id, tag, account=account, weight=weight)
    queue.put(prediction)


async def send_next(database: Database, queue: Queue) -> str:
    """The id of the next one, which is noted as sent."""
    async with asyncio.timeout(SOON):
        taken = await queue.take("worker", MODEL)
    assert await Store(database).note_sent(taken, "cog")
    return taken.id


async def most_in_a_window(database: Database) -> int:
    """The greatest weight that was sent within a window, wherever it begins."""
    sent = select(predictions.c.sent_at, predictions.c.weight)
    rows = await database.read(lambda connection: connection.execute(sent).all())
    sent_at: list[float] = [row.sent_at for row in rows]
    return max(
        sum(int(row.weight) for row in rows if 0 <= row.sent_at - start < WINDOW)
        for start in sent_at
    )


async def test_no_more_is_taken_than_the_account_may_send_in_a_window(database: Database) -> None:
    queue = queue_of(database)
    for number in range(7):
        await stand(database, queue, str(number), float(number))

    assert [await send_next(database, queue) for _ in range(7)] == list("0123456")
    assert await most_in_a_window(database) == 3


async def test_what_waits_for_one_account_is_in_no_others_way(database: Database) -> None:
    queue = queue_of(database)
    for number in range(4):
        await stand(database, queue, f"operator-{number}", float(number))
    for number in range(5):
        await stand(database, queue, f"caller-{number}", 10.0 + number, account="c" * 64)

    order = [await send_next(database, queue) for _ in range(9)]

    # Those of the caller's own key are behind three of the operator's, and not behind the fourth.
    assert order == [
        *(f"operator-{number}" for number in range(3)),
        *(f"caller-{number}" for number in range(5)),
        "operator-3",
    ]


async def test_what_counts_for_much_is_not_overtaken_for_ever(database: Database) -> None:
    queue = queue_of(database)
    await stand(database, queue, "light", 1.0)
    await stand(database, queue, "heavy", 2.0, weight=3)
    for number in range(3):
        await stand(database, queue, f"later-{number}", 3.0 + number)

    order = [await send_next(database, queue) for _ in range(3)]

    assert order == ["light", "heavy", "later-0"]


async def test_what_is_heavier_than_the_whole_limit_goes_alone(database: Database) -> None:
    queue = queue_of(database)
    await stand(database, queue, "light", 1.0)
    await stand(database, queue, "heavy", 2.0, weight=10)

    assert await send_next(database, queue) == "light"
    assert await send_next(database, queue) == "heavy"


async def test_what_ended_before_it_was_sent_does_not_count(database: Database) -> None:
    queue, store = queue_of(database), Store(database)
    for number in range(4):
        await stand(database, queue, str(number), float(number))
    for _ in range(3):
        taken = await queue.take("worker", MODEL)
        await store.end_waiting(taken.id, End(State.FAILED, error="no such picture"))

    async with asyncio.timeout(SOON):
        assert (await queue.take("worker", MODEL)).id == "3"


async def test_an_account_that_was_refused_waits_as_a_whole(database: Database) -> None:
    queue, until = queue_of(database, None), time.time() + 1.0
    await Store(database).hold("c" * 64, until)
    await Store(database).hold("c" * 64, until - 0.5)  # which is past does not shorten it
    await stand(database, queue, "theirs", 1.0, account="c" * 64)
    await stand(database, queue, "another", 2.0)

    assert await Store(database).count_held_back() == 1
    assert await send_next(database, queue) == "another"
    assert await send_next(database, queue) == "theirs"
    assert time.time() >= until
    assert await Store(database).count_held_back() == 0


async def test_one_that_was_canceled_while_its_account_waited_is_passed_over(
    database: Database,
) -> None:
    queue = queue_of(database, None)
    await Store(database).hold("c" * 64, time.time() + 0.3)
    for id, tag in (("a", 1.0), ("b", 2.0)):
        await stand(database, queue, id, tag, account="c" * 64)
    next_one = asyncio.ensure_future(queue.take("worker", MODEL))
    await asyncio.sleep(0.05)
    canceled = update(predictions).where(predictions.c.id == "a").values(state=State.CANCELED)
    await database.write(lambda connection: connection.execute(canceled))

    assert (await asyncio.wait_for(next_one, SOON)).id == "b"


async def test_each_models_worker_takes_its_own(database: Database) -> None:
    queue = queue_of(database, None)
    takers = {
        model: asyncio.ensure_future(queue.take("worker", model)) for model in ("acme/other", MODEL)
    }
    await asyncio.sleep(0.05)
    queue.put(await waiting(database, "ours", 1.0))
    queue.put(await waiting(database, "theirs", 2.0, model="acme/other"))

    taken = {model: (await asyncio.wait_for(take, SOON)).id for model, take in takers.items()}

    assert taken == {"acme/other": "theirs", MODEL: "ours"}


@pytest.mark.postgres
async def test_many_processes_send_no_more_together(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    databases = [await opened(Postgres(url, connections=4))]
    databases += [Postgres(url, connections=4) for _ in range(3)]
    limited = Allowance(6, WINDOW)
    queues = [SharedQueue(Store(database, limited)) for database in databases for _ in range(2)]
    sent: list[str] = []

    async def take(queue: Queue, store: Store) -> None:
        while True:
            taken = await queue.take("worker", MODEL)
            assert await store.note_sent(taken, "cog")
            sent.append(taken.id)

    stores = [Store(database) for database in databases for _ in range(2)]
    takers = [asyncio.ensure_future(take(*each)) for each in zip(queues, stores, strict=True)]
    await asyncio.sleep(0.5)  # they are all connected, and wait
    for number in range(15):
        await waiting(databases[0], str(number), float(number), weight=1 + number % 3)
    for queue in queues:
        queue.look()
    async with asyncio.timeout(60):
        while len(sent) < 15:  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.05)
    for each in takers:
        each.cancel()
    await asyncio.wait(takers)

    assert await most_in_a_window(databases[0]) <= 6
    for database in databases:
        await database.close()


def test_room_comes_when_the_oldest_of_what_was_sent_no_longer_counts() -> None:
    sent = [Counted(20.0, 2), Counted(10.0, 2)]

    assert full_until(sent, 1, Allowance(5, 60.0)) is None
    assert full_until(sent, 2, Allowance(5, 60.0)) == 70.0
    assert full_until(sent, 4, Allowance(5, 60.0)) == 80.0
    assert full_until(sent, 9, Allowance(5, 60.0)) == 80.0
    assert full_until([], 9, Allowance(5, 60.0)) is None
    assert full_until(sent, 9, Allowance(None)) is None


def test_an_account_is_told_by_a_callers_own_key_and_does_not_tell_the_key() -> None:
    keyring = Keyring([b"k" * 32])
    key = "sk-of-a-caller"

    account = account_of({"openai_api_key": key}, keyring)
    assert account == account_of({"openai_api_key": f" {key} "}, keyring)
    assert account != account_of({"openai_api_key": "sk-of-another"}, keyring)
    assert account != account_of({"openai_api_key": key}, Keyring([b"o" * 32]))
    assert key not in account
    assert len(account) == 64


@pytest.mark.parametrize("secrets", [{}, {"openai_api_key": ""}, {"openai_api_key": " "}])
def test_who_brings_no_key_draws_on_the_operators_account(secrets: dict[str, str]) -> None:
    assert account_of(secrets, Keyring([b"k" * 32])) == ""
