"""Who runs next: the same answers from this process's memory and from rows that many share."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from api.database import Connection, Database
from api.database.postgres import Postgres
from api.database.sqlite import Sqlite
from api.predictions.beats import Beats
from api.predictions.prediction import Prediction, State
from api.predictions.queue import MemoryQueue, Queue
from api.predictions.shared_queue import SharedQueue
from api.predictions.store import Store
from api.tables import predictions, tenants, tokens
from dev.servers.postgres import Postgres as PostgresServer
from tests.api.conftest import BOTH

pytestmark = pytest.mark.anyio

MODEL = "openai/gpt-image-2"


async def opened(database: Database) -> Database:
    """With a tenant and a token, which the rows need."""
    await database.migrate()
    tenant = {"id": "t", "name": "t", "role": "tenant", "webhook_secret": b"", "limits": {}}
    token = {"id": "k", "tenant_id": "t", "hash": "h"}

    def store(connection: Connection) -> None:
        connection.execute(insert(tenants).values(tenant | {"created_at": 0}))
        connection.execute(insert(tokens).values(token | {"created_at": 0}))

    await database.write(store)
    return database


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = await opened(Sqlite(tmp_path / "api.db"))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = await opened(Postgres(server.create_database(), connections=8))
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
def queue(database: Database, store: Store) -> Queue:
    return SharedQueue(store) if database.is_shared else MemoryQueue(store)


async def waiting(
    database: Database,
    id: str,
    tag: float,
    not_before: float = 0.0,
    model: str = MODEL,
    account: str = "",
    weight: int = 1,
) -> Prediction:
    """A row that waits."""
    now = time.time()
    values = {
        "id": id,
        "tenant_id": "t",
        "token_id": "k",
        "model": model,
        "version": "v",
        "origin": "o",
        "input": {},
        "state": State.QUEUED,
        "tag": tag,
        "not_before": not_before,
        "created_at": now,
        "deadline": now + 60,
        "webhook_events": [],
        "request_hash": "",
        "answer": "written",
        "accepted_by": "",
        "account": account,
        "weight": weight,
    }
    stored = insert(predictions).values(values).returning(*predictions.c)
    row = await database.write(lambda connection: connection.execute(stored).mappings().one())
    return Prediction.of(row)


async def test_the_lowest_tag_is_next_and_is_taken(database: Database, queue: Queue) -> None:
    for id, tag in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        queue.put(await waiting(database, id, tag))

    taken = [await queue.take("worker", MODEL) for _ in range(3)]

    assert [each.id for each in taken] == ["a", "b", "c"]
    assert {each.state for each in taken} == {State.TAKEN}
    assert {each.owner for each in taken} == {"worker"}
    assert len({each.cog_id for each in taken}) == 3


async def test_what_must_wait_comes_when_its_time_has_come(
    database: Database, queue: Queue
) -> None:
    until = time.time() + 0.3
    queue.put(await waiting(database, "later", 1.0, until))
    queue.put(await waiting(database, "now", 2.0))

    assert (await queue.take("worker", MODEL)).id == "now"
    assert (await queue.take("worker", MODEL)).id == "later"
    assert time.time() >= until


async def test_who_waits_for_the_next_is_woken(database: Database, queue: Queue) -> None:
    next_one = asyncio.ensure_future(queue.take("worker", MODEL))
    await asyncio.sleep(0.05)
    queue.put(await waiting(database, "a", 1.0))

    assert (await asyncio.wait_for(next_one, 5)).id == "a"


async def test_what_was_canceled_meanwhile_is_passed_over(database: Database, queue: Queue) -> None:
    for id, tag in (("a", 1.0), ("b", 2.0)):
        queue.put(await waiting(database, id, tag))
    canceled = update(predictions).where(predictions.c.id == "a").values(state=State.CANCELED)
    await database.write(lambda connection: connection.execute(canceled))

    assert (await queue.take("worker", MODEL)).id == "b"


async def test_one_that_could_not_be_taken_is_not_forgotten(
    store: Store, database: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.put(await waiting(database, "a", 1.0))

    async def unreachable(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(store, "take", unreachable)
        broken.setattr(store, "take_next", unreachable)
        with pytest.raises(ConnectionError):
            await queue.take("worker", MODEL)

    assert (await asyncio.wait_for(queue.take("worker", MODEL), 5)).id == "a"


async def test_what_was_taken_over_is_not_its_earlier_owners_any_more(
    database: Database, store: Store, queue: Queue
) -> None:
    queue.put(await waiting(database, "a", 1.0))
    first = await queue.take("frozen", MODEL)
    assert await store.requeue_of_the_silent(time.time() - 30) == 1
    queue.put(first)
    second = await queue.take("other", MODEL)

    assert not await store.note_sent(first, "cog")
    assert await store.note_sent(second, "cog")


async def test_what_a_living_worker_has_taken_is_left_alone(
    database: Database, store: Store, queue: Queue
) -> None:
    await Beats(database).begin("alive", slots=1)
    queue.put(await waiting(database, "a", 1.0))
    taken = await queue.take("alive", MODEL)

    assert await store.requeue_of_the_silent(time.time() - 30) == 0
    assert await store.note_sent(taken, "cog")


@pytest.mark.postgres
async def test_of_many_workers_each_row_is_taken_by_one(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    databases = [await opened(Postgres(url, connections=4))]
    databases += [Postgres(url, connections=4) for _ in range(3)]
    for number in range(100):
        await waiting(databases[0], str(number), float(number))
    taken: list[str] = []

    async def take(database: Database) -> None:
        queue = SharedQueue(Store(database))
        while True:
            taken.append((await queue.take("worker", MODEL)).id)

    takers = [asyncio.ensure_future(take(each)) for each in databases for _ in range(3)]
    async with asyncio.timeout(30):
        while len(taken) < 100:  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    for each in takers:
        each.cancel()
    await asyncio.wait(takers)

    assert sorted(taken, key=int) == [str(number) for number in range(100)]
    for database in databases:
        await database.close()


@pytest.mark.postgres
async def test_another_models_predictions_are_left_alone(postgres: PostgresServer) -> None:
    database = await opened(Postgres(postgres.create_database(), connections=2))
    await waiting(database, "theirs", 1.0, model="acme/other")
    await waiting(database, "ours", 2.0)

    assert (await SharedQueue(Store(database)).take("worker", MODEL)).id == "ours"
    await database.close()
