"""Any process of a cluster killed at any moment: nothing is lost, and nothing is paid for twice.

CHAOS_PREDICTIONS and CHAOS_KILLS make it longer than the short form that runs in `make ci`.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
import requests

from api.database.postgres import Postgres as Database
from api.files import files
from api.files.addresses import Signer
from api.files.bucket import Bucket
from api.files.files import Files
from dev.servers import Server
from dev.servers.api import Api
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import TOKEN, Cluster, cluster
from tests.api.conftest import shared
from tests.api.replicate_caller import ReplicateCaller
from tests.support.loopback import Webhooks
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.long]

PREDICTIONS = int(os.environ.get("CHAOS_PREDICTIONS", "40"))
KILLS = int(os.environ.get("CHAOS_KILLS", "8"))
CALLERS = 8
AWAY_SECONDS = 5.0  # for the store


@pytest.fixture(scope="module")
def running(
    postgres: Postgres,
    store: ObjectStore,
    sandbox_process: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder, kept = tmp_path_factory.mktemp("chaos"), shared(postgres, store)
    with cluster(folder, kept, sandbox_process, apis=3, workers=2) as all_of_it:
        yield all_of_it


class Asking:
    """Callers who, as published clients do, send again and say so where they got no answer."""

    def __init__(self, running: Cluster, webhooks: Webhooks) -> None:
        self._running = running
        self._webhooks = webhooks
        self.ids: dict[int, str] = {}

    def ask(self, number: int) -> None:
        seconds = random.choice([0, 0.5, 2])
        body = {
            "input": {"prompt": f"Lighthouse [#{number}] [sandbox:slow seconds={seconds}]"},
            "webhook": f"{self._webhooks.url}/{number}",
            "webhook_events_filter": ["completed"],
        }
        give_up = time.monotonic() + 120
        for tries in range(1000):
            assert time.monotonic() < give_up, "no API process accepted it"
            caller = ReplicateCaller(random.choice(self._running.apis).url, TOKEN)
            again = {"x-stainless-retry-count": str(tries)} if tries else {}
            with suppress(requests.RequestException):
                answer = caller.create(body=body, **again)
                if answer.status_code == 201:
                    self.ids[number] = answer.json()["id"]
                    return
            time.sleep(0.3)


def kill_some(running: Cluster, over: threading.Event) -> None:
    processes: list[Api] = [*running.apis, *running.workers]
    for _ in range(KILLS):
        process = random.choice(processes)
        process.kill()
        time.sleep(random.uniform(0, 0.5))
        process.start(until_ready=False)
        if over.wait(random.uniform(0.5, 2)):
            return


def test_kills_lose_nothing_and_repeat_nothing(
    running: Cluster,
    postgres: Postgres,
    store: ObjectStore,
    sandbox: Sandbox,
    webhooks: Webhooks,
) -> None:
    asking, over = Asking(running, webhooks), threading.Event()
    with ThreadPoolExecutor(CALLERS) as callers:
        asked = [callers.submit(asking.ask, number) for number in range(PREDICTIONS)]
        killing = threading.Thread(target=kill_some, args=(running, over))
        killing.start()
        time.sleep(4)
        postgres.stop()
        postgres.start()
        store.stop()
        time.sleep(AWAY_SECONDS)
        store.start()
        for each in asked:
            each.result()
        killing.join()
    over.set()
    for process in (*running.apis, *running.workers):
        assert process.server
        process.server.wait_until(process.is_ready)

    wait_until(lambda: unfinished(running) == 0, within=120)
    ends = rows(running)
    numbers = {number_of(prompt): state for prompt, state, _ in ends}
    # Its Cog servers were not killed, so each prediction could be brought to its end.
    assert numbers == dict.fromkeys(range(PREDICTIONS), "succeeded"), [
        error for *_, error in ends if error
    ]
    assert len(ends) == PREDICTIONS
    billed = Counter(each["number"] for each in sandbox.ledger if each["billed"])
    assert billed == dict.fromkeys(range(PREDICTIONS), 1)
    wait_until(lambda: told(webhooks) == set(asking.ids.values()), within=90)
    asyncio.run(check_files(running, store))


def unfinished(running: Cluster) -> int:
    with psycopg.connect(running.database_url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM predictions WHERE state IN ('queued', 'taken', 'sent')"
        ).fetchone()
    return int(found[0]) if found else 0


def rows(running: Cluster) -> list[tuple[str, str, str | None]]:
    with psycopg.connect(running.database_url) as connection:
        found = connection.execute("SELECT input->>'prompt', state, error FROM predictions")
        return [(str(prompt), str(state), error) for prompt, state, error in found.fetchall()]


def number_of(prompt: str) -> int:
    return int(prompt.partition("[#")[2].partition("]")[0])


def told(webhooks: Webhooks) -> set[str]:
    return {body["id"] for body in webhooks.bodies if body["status"] == "succeeded"}


async def check_files(running: Cluster, store: ObjectStore) -> None:
    """Every row has its bytes; what a kill has left without a row goes with the next sweep."""
    bucket = running.settings["API_FILES"]
    with psycopg.connect(running.database_url) as connection:
        known = {str(row[0]) for row in connection.execute("SELECT id FROM files").fetchall()}
    assert known <= store.names(bucket.removeprefix("s3://"))
    database = Database(running.database_url, connections=2)
    with pytest.MonkeyPatch.context() as here:
        for name, value in store.variables.items():
            here.setenv(name, value)
        here.setattr(files, "_ORPHAN_SECONDS", -60.0)
        await Files(database, Bucket(bucket, None), Signer([b"k"])).remove_orphans()
    await database.close()
    assert store.names(bucket.removeprefix("s3://")) == known
