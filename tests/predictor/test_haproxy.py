"""deploy/haproxy.cfg in front of three predictors: what does not fit waits, and nothing is lost."""

import asyncio
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from dev.servers import (
    HOST,
    PROJECT,
    Server,
    clean_environment,
    free_port,
    get,
    predictor_server,
    sandbox_server,
)
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.haproxy

REQUESTS = 300
SLOTS = 3 * 24
CONFIG = PROJECT / "deploy" / "haproxy.cfg"


@pytest.fixture(scope="module")
def haproxy() -> str:
    """The program; `make ci` installs it in CI, and says elsewhere how to."""
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        reason = "There is no haproxy, so nothing was tried; on Debian: apt-get install haproxy"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def upstream() -> Iterator[Server]:
    with sandbox_server(SANDBOX_PRERENDERED="true", SANDBOX_LATENCY="1") as server:
        yield server


@pytest.fixture(scope="module")
def balanced(haproxy: str, upstream: Server) -> Iterator[str]:
    """HAProxy's URL, once it has found all three predictors well."""
    with ExitStack() as stack:
        environment = clean_environment() | {"LISTEN": f"{HOST}:{free_port()}"}
        for number in (1, 2, 3):
            predictor = stack.enter_context(predictor_server(OPENAI_PROXY_URL=upstream.url))
            environment[f"PREDICTOR_{number}"] = predictor.url.removeprefix("http://")
        server = Server("HAProxy", [haproxy, "-db", "-f", CONFIG], environment)
        stack.callback(server.stop)
        server.url = f"http://{environment['LISTEN']}"
        server.wait_until(lambda: _is_ready(server))
        yield server.url


def test_of_300_at_once_none_is_lost_and_none_is_billed_twice(
    balanced: str, upstream: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox = Sandbox(upstream.root)
    sandbox.forget()

    answers, busy = asyncio.run(_send_all(balanced))

    with capsys.disabled():
        print(f"\n{REQUESTS} at once through HAProxy: {busy} times 409")  # noqa: T201 - for who runs it
    assert Counter(answer["status"] for answer in answers) == {"succeeded": REQUESTS}
    billed = Counter(entry["number"] for entry in sandbox.ledger if entry["billed"])
    assert billed == dict.fromkeys(range(1, REQUESTS + 1), 1)
    assert _most_at_once(sandbox.ledger) <= SLOTS


def test_a_caller_that_hangs_up_while_queued_costs_nothing(balanced: str, upstream: Server) -> None:
    sandbox = Sandbox(upstream.root)
    sandbox.forget()

    asyncio.run(_hang_up_in_the_queue(balanced))

    assert {entry["number"] for entry in sandbox.ledger} == set(range(1, SLOTS + 1))


def test_compose_runs_what_the_configuration_expects() -> None:
    services = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())["services"]
    config = CONFIG.read_text()
    for name in ("predictor1", "predictor2", "predictor3"):
        assert f"{name}:5000" in config
        assert services[name]["environment"]["COG_MAX_CONCURRENCY"] == "32"
    (mount,) = services["haproxy"]["volumes"]
    assert (PROJECT / "deploy" / Path(mount.partition(":")[0])).samefile(CONFIG)


async def _send_all(url: str) -> tuple[list[dict[str, Any]], int]:
    """All answers, and how often one of them was 409 at first."""
    async with _client() as client:
        sending = [_predict(client, url, number) for number in range(1, REQUESTS + 1)]
        answers = await asyncio.gather(*sending)
    return [answer for answer, _ in answers], sum(busy for _, busy in answers)


async def _hang_up_in_the_queue(url: str) -> None:
    """Fill all slots, then have twenty callers give up before any of them is free."""
    async with _client() as client:
        first = [
            asyncio.create_task(_predict(client, url, number, "[sandbox:slow seconds=3]"))
            for number in range(1, SLOTS + 1)
        ]
        await asyncio.sleep(1)
        queued = [asyncio.create_task(_predict(client, url, number)) for number in range(101, 121)]
        await asyncio.sleep(0.5)
        for task in queued:
            task.cancel()
        await asyncio.gather(*queued, return_exceptions=True)
        await asyncio.gather(*first)
        await asyncio.sleep(0.5)


def _client() -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx2.AsyncClient(limits=limits, timeout=120, trust_env=False)


async def _predict(
    client: httpx2.AsyncClient, url: str, number: int, marker: str = ""
) -> tuple[dict[str, Any], int]:
    """The answer, and how many times 409 came before it; a 409 was never started."""
    prompt = f"A lighthouse at dusk [#{number}] {marker}"
    for busy in itertools.count():
        answer = await client.post(f"{url}/predictions", json={"input": {"prompt": prompt}})
        if answer.status_code != 409:
            assert answer.status_code == 200, answer.text
            return answer.json(), busy
        await asyncio.sleep(0.1)
    raise AssertionError("unreachable")


def _most_at_once(ledger: list[dict[str, Any]]) -> int:
    """The most requests that were being rendered at the same moment."""
    changes = sorted(
        [(entry["received_at"], 1) for entry in ledger]
        + [(entry["billed_at"], -1) for entry in ledger]
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _is_ready(server: Server) -> bool:
    try:
        status, _ = get(f"{server.url}/health-check")
    except OSError:
        return False
    return status == 200
