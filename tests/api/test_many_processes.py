"""API processes and workers on one Postgres: any caller may ask any of them, and any may die."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from dev.servers import Server
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import SLOTS, TOKEN, Cluster, cluster
from tests.api.commands import admin
from tests.api.kept import shared
from tests.api.runware_caller import Item, RunwareCaller, Socket, inference
from tests.support.loopback import Webhooks
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.postgres

BRIEF = "Lighthouse [sandbox:slow seconds=1]"
SOME = "Lighthouse [sandbox:slow seconds=3]"
LONG = "Lighthouse [sandbox:slow seconds=6]"
ENDLESS = "[sandbox:slow seconds=25]"


@pytest.fixture(scope="module")
def running(
    postgres: Postgres,
    store: ObjectStore,
    sandbox_process: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder, kept = tmp_path_factory.mktemp("cluster"), shared(postgres, store)
    with cluster(folder, kept, sandbox_process, apis=2, workers=2) as both:
        yield both


def row(running: Cluster, id: str) -> tuple[str, str | None]:
    """State and owner."""
    with psycopg.connect(running.database_url) as connection:
        found = connection.execute("SELECT state, owner FROM predictions WHERE id = %s", [id])
        state, owner = found.fetchone() or ("", None)
    return str(state), owner


def test_what_one_process_accepts_another_shows(running: Cluster, sandbox: Sandbox) -> None:
    created = running.caller(0).created()

    ended = running.caller(1).ended(created["id"])

    assert ended["status"] == "succeeded"
    assert ended["output"][0].startswith("data:image/webp")


def test_who_waits_at_one_process_hears_of_the_end_from_another(
    running: Cluster, sandbox: Sandbox
) -> None:
    answer = running.caller(0).create(BRIEF, Prefer="wait=50")

    assert answer.json()["status"] == "succeeded"


def test_a_prediction_is_canceled_by_another_process_than_accepted_it(
    running: Cluster, sandbox: Sandbox
) -> None:
    id = running.caller(0).created(LONG)["id"]
    running.caller(0).once(id, "processing")

    assert running.caller(1).cancel(id)["status"] == "canceled"


def test_logs_of_a_running_prediction_are_shown_by_every_process(
    running: Cluster, sandbox: Sandbox
) -> None:
    id = running.caller(0).created(LONG)["id"]

    wait_until(lambda: f"Sid {id}" in running.caller(1).prediction(id)["logs"])

    running.caller(1).cancel(id)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls return, all of them begun at the same moment."""
    begin = threading.Barrier(len(calls))

    def call(number: int) -> Any:
        begin.wait(30)
        return calls[number]()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, range(len(calls))))


def runware(running: Cluster, number: int) -> RunwareCaller:
    return RunwareCaller(running.apis[number].url, TOKEN)


def test_a_task_that_comes_to_two_processes_at_once_is_started_once(
    running: Cluster, sandbox: Sandbox
) -> None:
    callers = [runware(running, number % 2) for number in range(4)]
    tasks = [inference(f"Once {number}", deliveryMethod="async") for number in range(8)]
    for task in tasks:
        answers = at_once(*(partial(caller.post, task) for caller in callers))

        acknowledged = {"taskType": "imageInference", "taskUUID": task["taskUUID"]}
        assert [answer.status_code for answer in answers] == [200] * 4
        assert [answer.json()["data"] for answer in answers] == [[acknowledged]] * 4

    for task in tasks:
        (item,) = callers[1].ended(task["taskUUID"])["data"]
        assert item["status"] == "success"
    assert len(sandbox.ledger) == len(tasks)


def test_of_two_sockets_that_bring_the_same_task_at_once_one_is_told_of_the_conflict(
    running: Cluster, sandbox: Sandbox
) -> None:
    def told(socket: Socket, task: Item) -> str:
        socket.send(task)
        answer = socket.frame()
        return str(answer["errors"][0]["code"] if "errors" in answer else "accepted")

    with runware(running, 0).socket() as first, runware(running, 1).socket() as second:
        for number in range(6):
            task = inference(f"Once more {number}", deliveryMethod="async")
            codes = at_once(partial(told, first, task), partial(told, second, task))

            assert sorted(codes) == ["accepted", "conflictTaskUUID"]
            runware(running, 0).ended(task["taskUUID"])
    assert len(sandbox.ledger) == 6


def test_a_request_that_is_sent_again_to_two_processes_at_once_is_one_prediction(
    running: Cluster, sandbox: Sandbox
) -> None:
    again = {"x-stainless-retry-count": "1"}
    for number in range(6):
        callers = [running.caller(at % 2) for at in range(4)]
        prompt = f"Again {number}"
        answers = at_once(*(partial(caller.create, prompt, **again) for caller in callers))

        assert {answer.status_code for answer in answers} == {201}
        (id,) = {answer.json()["id"] for answer in answers}
        running.caller(0).ended(id)
    assert len(sandbox.ledger) == 6


def test_a_token_works_at_every_process_at_once(running: Cluster) -> None:
    assert running.caller(1, TOKEN).get("account").status_code == 200
    assert running.caller(1, "api_unknown").get("account").status_code == 401


def test_each_webhook_is_sent_once(running: Cluster, sandbox: Sandbox, webhooks: Webhooks) -> None:
    members: dict[str, object] = {
        "webhook": webhooks.url,
        "webhook_events_filter": ["completed"],
    }
    ids = {running.caller(number % 2).created("Told", **members)["id"] for number in range(6)}

    wait_until(lambda: len(webhooks.bodies) >= 6)
    for id in ids:
        running.caller(0).ended(id)
    time.sleep(0.5)
    assert sorted(body["id"] for body in webhooks.bodies) == sorted(ids)


def test_more_unfinished_predictions_than_allowed_are_refused_by_all_together(
    running: Cluster, sandbox: Sandbox
) -> None:
    with psycopg.connect(running.database_url) as connection:
        connection.execute("UPDATE tenants SET limits = '{\"unfinished\": 4}'")
    statuses: list[int] = []
    ids: list[str] = []

    def create(number: int) -> None:
        answer = running.caller(number % 2).create(f"{number} {LONG}")
        statuses.append(answer.status_code)
        if answer.status_code == 201:
            ids.append(answer.json()["id"])

    callers = [threading.Thread(target=create, args=(number,)) for number in range(10)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for id in ids:
        running.caller(0).cancel(id)
    with psycopg.connect(running.database_url) as connection:
        connection.execute("UPDATE tenants SET limits = '{}'")

    assert sorted(statuses) == [201] * 4 + [429] * 6


def test_more_requests_a_minute_than_allowed_are_refused_by_all_together(
    running: Cluster,
) -> None:
    with psycopg.connect(running.database_url) as connection:
        connection.execute("UPDATE tenants SET limits = '{\"requests_per_minute\": 5}'")
    callers = [running.caller(number) for number in range(2)]
    statuses = [callers[number % 2].get("account").status_code for number in range(40)]
    with psycopg.connect(running.database_url) as connection:
        connection.execute("UPDATE tenants SET limits = '{}'")
        connection.execute("DELETE FROM rates")

    # What an earlier test has left in the bucket counts no more than this limit.
    assert 429 in statuses
    assert statuses.count(200) < 15


def test_anothers_many_do_not_keep_a_tenants_only_prediction_waiting(
    running: Cluster, sandbox: Sandbox
) -> None:
    slots = 2 * SLOTS
    first, other_token = running.caller(0), admin(running.apis[1], "token", "create", "other")
    other = running.caller(1, other_token.strip())
    at_work = [first.created(f"Mine [#{n}] {ENDLESS}")["id"] for n in range(slots)]
    wait_until(lambda: {row(running, id)[0] for id in at_work} == {"sent"})
    many = [first.created(f"Mine [#{n}]")["id"] for n in range(100, 150)]
    started = len(sandbox.ledger)

    theirs = other.created("Theirs [#1001]")["id"]
    for id in at_work:
        first.cancel(id)
    assert other.ended(theirs, within=60)["status"] == "succeeded"
    order = [entry["number"] for entry in sandbox.ledger]
    for id in many:
        first.cancel(id)

    # Before it each slot has started one of the others at most.
    assert order.index(1001) - started < slots


def test_two_workers_of_one_name_are_refused(running: Cluster) -> None:
    first = running.workers[0]
    again = type(first)(
        first.data.parent / "again",
        first.cog_url,
        0,
        first.outputs,
        settings=first.settings,
        command=first.command,
    )
    server = again.start(until_ready=False)

    wait_until(lambda: server.process.poll() is not None)
    again.stop()

    assert server.process.returncode != 0
    assert "Another process runs as the worker worker-0" in server.log


def test_what_a_dead_worker_had_not_sent_is_taken_over(running: Cluster, sandbox: Sandbox) -> None:
    processes = [worker.server.process.pid for worker in running.workers if worker.server]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    id = running.caller(0).created("Taken over")["id"]
    with psycopg.connect(running.database_url) as connection:
        dead = "UPDATE predictions SET state = 'taken', owner = 'dead', attempt = 1 WHERE id = %s"
        connection.execute(dead, [id])
    wait_until(lambda: row(running, id)[0] == "queued")
    for process in processes:
        os.kill(process, signal.SIGCONT)

    assert running.caller(1).ended(id)["status"] == "succeeded"
    assert len(sandbox.ledger) == 1


def test_what_a_killed_worker_had_sent_waits_for_its_return(
    running: Cluster, sandbox: Sandbox
) -> None:
    ids = [running.caller(0).created(f"{number} {SOME}")["id"] for number in range(8)]
    wait_until(lambda: not any(row(running, id)[0] in {"queued", "taken"} for id in ids))
    for worker in running.workers:
        worker.kill()
    for worker in running.workers:
        worker.start()

    ends = [running.caller(1).ended(id, within=60) for id in ids]

    assert {each["status"] for each in ends} == {"succeeded"}
    assert len([each for each in sandbox.ledger if each["billed"]]) == len(ids)


def test_a_worker_that_is_told_to_end_finishes_what_it_has_sent(
    running: Cluster, sandbox: Sandbox
) -> None:
    worker = running.workers[1]
    ids = [running.caller(0).created(f"{number} {BRIEF}")["id"] for number in range(8)]
    wait_until(lambda: not any(row(running, id)[0] in {"queued", "taken"} for id in ids))
    assert worker.server
    theirs = [id for id in ids if row(running, id)[1] == "worker-1"]

    worker.server.process.terminate()
    assert worker.server.process.wait(60) in {0, -signal.SIGTERM}

    assert theirs
    assert {row(running, id)[0] for id in theirs} == {"succeeded"}
    later = running.caller(0).created("After one has gone")["id"]
    assert running.caller(0).ended(later)["status"] == "succeeded"
    worker.start()


def test_a_restart_of_postgres_loses_nothing(
    running: Cluster, postgres: Postgres, sandbox: Sandbox
) -> None:
    ids = [running.caller(0).created(f"{number} {BRIEF}")["id"] for number in range(6)]
    postgres.stop()
    postgres.start()

    ends = [running.caller(1).ended(id, within=60) for id in ids]

    assert {each["status"] for each in ends} == {"succeeded"}
    assert len([each for each in sandbox.ledger if each["billed"]]) == len(ids)
