"""Predictions through crashes: what is accepted is counted, and held against the ledger."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from dev.servers import Server, ServerError, free_port, sandbox_server
from dev.servers.api import Api, predictor_for_api
from tests.api.kept import Kept
from tests.api.replicate_caller import ENDS, ReplicateCaller
from tests.support.loopback import Webhooks, webhook_receiver

SETTINGS = {
    "API_PRIVATE_NETWORKS": '["127.0.0.0/8"]',
    "API_COG_LOST_SECONDS": "6",
    "API_COG_WORD_SECONDS": "5",
    "API_COG_SLOTS": "4",
    "API_TOKEN": "a-token-of-the-crash-tests-0123456789",
}
# A rate limit that lasts longer is told to the API instead of being waited for.
COG_SETTINGS = {"OPENAI_DEADLINE_SECONDS": "6"}
_numbers = itertools.count(1)


@dataclass
class Crashes:
    """The three processes, each of which may be killed and started again at its place."""

    api: Api
    webhooks: Webhooks
    sandbox: Server
    cog: Server
    folder: Path
    stack: ExitStack
    accepted: dict[str, int] = field(default_factory=dict)
    """The number in the prompt of each prediction that was answered with 201, by its id."""
    asked: list[int] = field(default_factory=list)
    """The numbers of all prompts that were sent."""
    earlier_entries: list[dict[str, Any]] = field(default_factory=list)
    """Of the ledgers of sandboxes that were killed."""

    @property
    def caller(self) -> ReplicateCaller:
        return ReplicateCaller(self.api.url, SETTINGS["API_TOKEN"])

    def ask(self, what: str = "", **inputs: object) -> str | None:
        """Create a prediction; its id, or None where the API died over it."""
        number = next(_numbers)
        self.asked.append(number)
        body = {
            "input": {"prompt": f"Lighthouse [#{number}] {what}", "quality": "low"} | inputs,
            "webhook": f"{self.webhooks.url}/{number}",
            "webhook_events_filter": ["completed"],
        }
        with suppress(requests.ConnectionError):
            answer = self.caller.create(body=body)
            assert answer.status_code == 201, answer.text
            self.accepted[answer.json()["id"]] = number
            return str(answer.json()["id"])
        return None

    def cancel(self, id: str) -> None:
        with suppress(requests.ConnectionError):
            self.caller.post(f"predictions/{id}/cancel")

    def start_api_to_die_at(self, point: str, time: int) -> None:
        """What it finds from an earlier life may bring it there before it is ready."""
        with suppress(ServerError):
            self.api.start("-m", "tests.api.killed_api", point, str(time))

    def wait_until_it_runs(self, id: str) -> None:
        """Behind what an earlier life of the API has left running."""
        with suppress(requests.ConnectionError):
            self.caller.once(id, "processing", *ENDS)

    def api_died(self, within: float) -> bool:
        """Whether the API has ended by itself within so many seconds."""
        assert self.api.server
        return _died(self.api.server, within)

    def cog_died(self, within: float) -> bool:
        return _died(self.cog, within)

    def sandbox_died(self, within: float) -> bool:
        """The ledger that it had is kept."""
        died = _died(self.sandbox, within)
        if died:
            self.earlier_entries += json.loads(self.ledger_file.read_text())["entries"]
        return died

    @property
    def ledger_file(self) -> Path:
        return self.folder / "ledger.json"

    def start_cog(self) -> None:
        """Another Cog server, in the place of one that died."""
        outputs, port = self.api.outputs, self.api.worker_port
        address = self.cog.url.rpartition(":")[2]
        self.cog.stop()
        environment = COG_SETTINGS | {"OPENAI_PROXY_URL": self.sandbox.url, "PORT": address}
        self.cog = self.stack.enter_context(predictor_for_api(port, outputs, **environment))

    def start_sandbox(self) -> None:
        """Another sandbox, in the place of one that died."""
        port = self.sandbox.root.rpartition(":")[2]
        self.sandbox.stop()
        self.sandbox = self.stack.enter_context(sandbox_server(SANDBOX_PORT=port))

    def entries(self) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.sandbox.root}/sandbox/ledger", timeout=60)
        return [*self.earlier_entries, *answer.json()["entries"]]

    def all_ended(self, within: float = 60) -> dict[str, dict[str, Any]]:
        """Every prediction that the API knows, once none is on its way."""
        give_up = time.monotonic() + within
        while True:
            page = self.caller.get("predictions").json()
            known = {each["id"]: each for each in page["results"] if _number(each) in self.asked}
            waiting = [id for id, each in known.items() if each["status"] not in ENDS]
            if not waiting:
                return known
            assert time.monotonic() < give_up, [known[id] for id in waiting]
            time.sleep(0.1)

    def check(self, within: float = 60) -> dict[str, dict[str, Any]]:
        """Nothing lost, nothing billed twice, nothing billed and lost without a word.

        It is about what was asked since the last check, which is less than a page.
        """
        known = self.all_ended(within)
        missing = self.accepted.keys() - known.keys()
        assert not missing, f"accepted and lost: {missing}"
        asked = set(self.asked)
        billed = Counter(
            each["number"] for each in self.entries() if each["billed"] and each["number"] in asked
        )
        assert not {number for number, times in billed.items() if times > 1}, "billed twice"
        by_number = {_number(each): each for each in known.values()}
        for number in billed:
            end = by_number[number]
            told = "may have been billed" in (end["error"] or "")
            assert end["status"] in {"succeeded", "canceled"} or told, end
            assert end["status"] != "succeeded" or end["output"], end
        self._check_webhooks(known)
        self.accepted.clear()
        self.asked.clear()
        return known

    def _check_webhooks(self, known: dict[str, dict[str, Any]]) -> None:
        give_up = time.monotonic() + 30
        while True:
            told = {body["id"] for body in self.webhooks.bodies if body["status"] in ENDS}
            untold = known.keys() - told
            if not untold:
                return
            assert time.monotonic() < give_up, f"webhooks that never came: {untold}"
            time.sleep(0.1)


def _number(prediction: dict[str, Any]) -> int:
    return int(prediction["input"]["prompt"].partition("[#")[2].partition("]")[0])


def _died(server: Server, within: float) -> bool:
    give_up = time.monotonic() + within
    while server.process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.02)
    return server.process.poll() is not None


@contextmanager
def crashes(folder: Path, kept: Kept, **sandbox_settings: str) -> Iterator[Crashes]:
    """API, Cog server and sandbox of this test's own, all running."""
    outputs = folder / "outputs"
    outputs.mkdir()
    port = free_port()
    with ExitStack() as stack:
        webhooks = stack.enter_context(webhook_receiver())
        sandbox = stack.enter_context(sandbox_server(**sandbox_settings))
        environment = COG_SETTINGS | {"OPENAI_PROXY_URL": sandbox.url}
        cog = stack.enter_context(predictor_for_api(port, outputs, **environment))
        api = Api(folder / "data", cog.url, port, outputs, settings=SETTINGS | kept.settings)
        stack.callback(api.kill)
        yield Crashes(api, webhooks, sandbox, cog, folder, stack)
