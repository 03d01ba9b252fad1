"""Any process of a cluster killed at any moment: nothing is lost, and nothing is paid for twice.

At length: CHAOS_PREDICTIONS=2000 CHAOS_KILLS=200 CHAOS_PAUSE_SECONDS=30 CHAOS_AWAY_SECONDS=20.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
import requests

from api.database.postgres import Postgres as Database
from api.files import files
from api.files.addresses import Signer
from api.files.bucket import Bucket
from api.files.files import Files
from dev.servers import Server, sandbox_server
from dev.servers.api import Api
from dev.servers.cluster import Cog
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import SLOTS, TOKEN, Cluster, cluster
from tests.api.kept import shared
from tests.api.replicate_caller import ENDS, ReplicateCaller
from tests.support.loopback import Webhooks
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.long]

PREDICTIONS = int(os.environ.get("CHAOS_PREDICTIONS", "60"))
KILLS = int(os.environ.get("CHAOS_KILLS", "12"))
PAUSE_SECONDS = float(os.environ.get("CHAOS_PAUSE_SECONDS", "8"))  # at most, of each process
AWAY_SECONDS = float(os.environ.get("CHAOS_AWAY_SECONDS", "5"))  # for the store
CALLERS = 8
PATIENCE = 150.0 + PREDICTIONS  # seconds, which only a fault uses up


@pytest.fixture(scope="module")
def sandbox_process() -> Iterator[Server]:
    with sandbox_server(SANDBOX_PRERENDERED="true") as server:
        yield server


@pytest.fixture(scope="module")
def running(
    postgres: Postgres,
    store: ObjectStore,
    sandbox_process: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder, kept = tmp_path_factory.mktemp("chaos"), shared(postgres, store)
    with cluster(folder, kept, sandbox_process, apis=3, workers=3) as all_of_it:
        kept.limit(folder, unfinished=10**6, creates_per_minute=10**6)
        yield all_of_it


class Killing:
    """Kills of random processes; each is started again, also where it ended over an outage."""

    def __init__(self, running: Cluster) -> None:
        self.done = 0
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._processes: list[Api | Cog] = [*running.apis, *running.workers, *running.cogs]

    def begin(self, threads: ThreadPoolExecutor) -> list[Future[None]]:
        """A thread for each process does all that is done to it."""
        kills = Counter(random.choices(range(len(self._processes)), k=KILLS))
        return [
            threads.submit(self._kill, process, kills[number])
            for number, process in enumerate(self._processes)
        ]

    def _kill(self, process: Api | Cog, times: int) -> None:
        for _ in range(times):
            self._keep_up(process, random.uniform(0, PAUSE_SECONDS))
            process.kill()
            time.sleep(random.uniform(0, 0.5))
            with self._lock:
                self.done += 1
        while not self.over.is_set():
            self._keep_up(process, 1.0)
        self._keep_up(process, 0.0)

    def _keep_up(self, process: Api | Cog, seconds: float) -> None:
        over = time.monotonic() + seconds
        while True:
            if isinstance(process, Cog):
                if not process.runs:
                    process.start()
            elif process.server is None or process.server.process.poll() is not None:
                process.start(until_ready=False)
            if time.monotonic() >= over:
                return
            time.sleep(0.1)


class Asking:
    """Callers who, as published clients do, send again and say so where they got no answer."""

    def __init__(self, running: Cluster, webhooks: Webhooks, killing: Killing) -> None:
        self._running = running
        self._webhooks = webhooks
        self._killing = killing
        self.ids: dict[int, str] = {}

    def ask(self, number: int) -> None:
        """Create one; they come as the kills do, so that each kill meets some."""
        share = number / PREDICTIONS
        wait_until(lambda: self._killing.done + 2 >= share * KILLS, within=PATIENCE)
        seconds = random.choice([0, 1, 4])
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


def outages(postgres: Postgres, store: ObjectStore, killing: Killing) -> None:
    """Postgres restarts once a third of the kills is done; the store goes away after two thirds."""
    wait_until(lambda: killing.done >= KILLS / 3, within=PATIENCE)
    postgres.stop()
    postgres.start()
    wait_until(lambda: killing.done >= KILLS * 2 / 3, within=PATIENCE)
    store.stop()
    time.sleep(AWAY_SECONDS)
    store.start()


def test_kills_lose_nothing_and_repeat_nothing(
    running: Cluster,
    postgres: Postgres,
    store: ObjectStore,
    sandbox: Sandbox,
    webhooks: Webhooks,
    record_property: Callable[[str, object], None],
) -> None:
    killing = Killing(running)
    asking = Asking(running, webhooks, killing)
    with ThreadPoolExecutor(CALLERS) as callers, ThreadPoolExecutor(10) as others:
        asked = [callers.submit(asking.ask, number) for number in range(PREDICTIONS)]
        killed = killing.begin(others)
        outage = others.submit(outages, postgres, store, killing)
        try:
            for each in (outage, *asked):
                each.result()
        finally:
            killing.over.set()
        for each in killed:
            each.result()
    running.wait_until_ready()

    wait_until(lambda: unfinished(running) == 0, within=PATIENCE)
    record_property("summary", check_ends(running, sandbox))
    wait_until(lambda: told(webhooks) == set(asking.ids.values()), within=PATIENCE)
    asyncio.run(check_files(running, store))


def found(running: Cluster, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(running.database_url) as connection:
        return connection.execute(query.encode()).fetchall()


def unfinished(running: Cluster) -> int:
    return len(found(running, "SELECT 1 FROM predictions WHERE completed_at IS NULL"))


def check_ends(running: Cluster, sandbox: Sandbox) -> str:
    """Each is there once and was billed at most once; one without a picture says that it may be."""
    rows = found(running, "SELECT input->>'prompt', state, error FROM predictions")
    assert sorted(number_of(str(prompt)) for prompt, *_ in rows) == list(range(PREDICTIONS))
    billed = Counter(each["number"] for each in sandbox.ledger if each["billed"])
    assert not [number for number, times in billed.items() if times > 1]
    failed = [(str(state), str(error)) for _, state, error in rows if state != "succeeded"]
    assert {state for state, _ in failed} <= {"failed"}
    assert not [error for _, error in failed if "may have been billed" not in error]
    succeeded = {number_of(str(prompt)) for prompt, state, _ in rows if state == "succeeded"}
    assert succeeded <= billed.keys()
    # What was on its way when its Cog server or its worker was killed, and nothing else.
    assert len(failed) <= KILLS * 2 / 3 * SLOTS
    return f"Of {PREDICTIONS} through {KILLS} kills {len(failed)} failed as possibly billed."


def number_of(prompt: str) -> int:
    return int(prompt.partition("[#")[2].partition("]")[0])


def told(webhooks: Webhooks) -> set[str]:
    return {body["id"] for body in webhooks.bodies if body["status"] in ENDS}


async def check_files(running: Cluster, store: ObjectStore) -> None:
    """Every row has its bytes; what a kill has left without a row goes with the next sweep."""
    without = (
        "SELECT id FROM predictions WHERE state = 'succeeded' AND NOT EXISTS"
        " (SELECT 1 FROM files WHERE prediction_id = predictions.id AND kind = 'output')"
    )
    assert not found(running, without)
    bucket = running.kept.settings["API_FILES"]
    known = {str(row[0]) for row in found(running, "SELECT id FROM files")}
    assert known <= store.names(bucket.removeprefix("s3://"))
    database = Database(running.database_url, connections=2)
    with pytest.MonkeyPatch.context() as here:
        for name, value in store.variables.items():
            here.setenv(name, value)
        here.setattr(files, "_ORPHAN_SECONDS", -60.0)
        await Files(database, Bucket(bucket, None), Signer([b"k"])).remove_orphans()
    await database.close()
    assert store.names(bucket.removeprefix("s3://")) == known
