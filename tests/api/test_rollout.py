"""A release beside the one before it, on one database that the newer one has migrated."""

import io
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.servers import PROJECT, Server
from dev.servers.api import Api
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import Cluster, cluster
from tests.api.kept import shared
from tests.support.loopback import Webhooks
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.long]

PREVIOUS = "c4228cc27e4d5fb9d2ea424dc306caeb9f2ae5cb"
"""Whose code is the older one. Nothing is released yet: this is the last commit whose newest
migration is 0003, the first with Postgres. With the first release it becomes that one's commit."""
BRIEF, SOME = "[sandbox:slow seconds=1]", "[sandbox:slow seconds=5]"


@dataclass
class Two:
    """A process that takes requests and a worker of each release."""

    new: Cluster
    old: Cluster
    old_code: Path

    @property
    def workers(self) -> tuple[Api, Api]:
        return (self.new.workers[0], self.old.workers[0])


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The older release's `api/`, from the history of this checkout."""
    command = ["git", "archive", PREVIOUS, "api"]
    archive = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)
    if archive.returncode != 0:
        said = archive.stderr.decode().strip()
        pytest.skip(f"no {PREVIOUS[:7]} here, which a clone with all its history has: {said}")
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def two(
    old_code: Path,
    postgres: Postgres,
    store: ObjectStore,
    sandbox_process: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Two]:
    folder, kept = tmp_path_factory.mktemp("rollout"), shared(postgres, store)
    with (
        cluster(folder, kept, sandbox_process, apis=1, workers=1, called="new") as new,
        cluster(
            folder, kept, sandbox_process, apis=1, workers=1, called="old", checkout=old_code
        ) as old,
    ):
        yield Two(new, old, old_code)


@pytest.mark.parametrize("older_accepts", [True, False])
def test_what_one_release_accepts_the_other_finishes_and_its_caller_hears_of_it(
    two: Two, sandbox: Sandbox, older_accepts: bool
) -> None:
    accepting, working = (two.old, two.new) if older_accepts else (two.new, two.old)
    (idle,) = accepting.workers
    idle.stop()

    ended = accepting.caller(0).create(f"A lighthouse {BRIEF}", Prefer="wait=50").json()
    idle.start()

    assert ended["status"] == "succeeded"
    assert working.caller(0).prediction(ended["id"])["output"] == ended["output"]
    assert owners(two)[ended["id"]] == working.workers[0].settings["API_WORKER_NAME"]


@pytest.mark.parametrize("forward", [True, False], ids=["rolled out", "rolled back"])
def test_a_worker_that_is_killed_comes_back_as_another_release(
    two: Two, sandbox: Sandbox, webhooks: Webhooks, forward: bool
) -> None:
    members: dict[str, object] = {"webhook": webhooks.url, "webhook_events_filter": ["completed"]}
    callers = [two.new.caller(0), two.old.caller(0)]
    ids = [
        callers[number % 2].created(f"A lighthouse [#{number}] {SOME}", **members)["id"]
        for number in range(8)
    ]
    wait_until(lambda: {state for _, _, state in rows(two) if state != "succeeded"} == {"sent"})
    for worker in two.workers:
        worker.kill()
        worker.checkout = PROJECT if forward else two.old_code
    for worker in two.workers:
        worker.start()

    ends = [callers[0].ended(id, within=60) for id in ids]

    assert {each["status"] for each in ends} == {"succeeded"}
    assert {owners(two)[id] for id in ids} == {"new-0", "old-0"}
    billed = Counter(each["number"] for each in sandbox.ledger if each["billed"])
    assert billed == dict.fromkeys(range(8), 1)
    wait_until(lambda: {body["id"] for body in webhooks.bodies} >= set(ids))


def rows(two: Two) -> list[tuple[str, str, str]]:
    """Id, owner and state of every prediction."""
    query = "SELECT id, owner, state FROM predictions"
    return [
        (str(id), str(owner), str(state)) for id, owner, state in two.new.kept.rows(Path(), query)
    ]


def owners(two: Two) -> dict[str, str]:
    return {id: owner for id, owner, _ in rows(two)}
