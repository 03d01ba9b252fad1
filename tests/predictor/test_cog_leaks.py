"""What Cog itself gives away, as docs/operations.md says. A release that mends one fails its test.

None of it can be mended from inside a predictor; each is a reason to keep the port private.
"""

import json
import random
import secrets
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog, data_uri, picture
from tests.support.loopback import file_server, webhook_receiver
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import wait_until

KEY = "test-key-of-a-caller"
SLOW = "A slow lighthouse [sandbox:slow seconds=2]"

pytestmark = pytest.mark.long


def test_a_repeated_put_answers_with_the_whole_input(sandbox: Sandbox) -> None:
    body = {"input": {"prompt": SLOW, "openai_api_key": KEY}}
    with predictor_with_openai_at(sandbox) as server:
        cog = Cog(server.url)
        cog.post(body, id="repeated", Prefer="respond-async")
        sandbox.wait_for(lambda entry: entry["received"])
        again = cog.post({"input": {"prompt": "x"}}, id="repeated", Prefer="respond-async")

    assert again.json()["input"]["openai_api_key"] == KEY


def test_a_422_repeats_the_value(cog: Cog) -> None:
    answer = cog.post({"input": {"prompt": "x", "openai_api_key": [KEY]}})

    assert answer.status_code == 422
    assert KEY in answer.text


def test_a_large_input_lies_on_disk_with_its_key_until_the_worker_reads_it(
    sandbox: Sandbox,
) -> None:
    large = {"prompt": "A lighthouse", "openai_api_key": KEY, "user_id": "u" * (7 << 20)}
    id = f"large-{secrets.token_hex(4)}"
    # Cog has this path built in and does not look at TMPDIR.
    spilled = Path("/tmp/coglet/predictions") / id / "inputs"  # noqa: S108
    with predictor_with_openai_at(sandbox) as server, ThreadPoolExecutor() as pool:
        (worker,) = psutil.Process(server.process.pid).children()
        worker.suspend()
        answer = pool.submit(Cog(server.url).post, {"input": large}, id=id)
        wait_until(lambda: KEY in "".join(file.read_text() for file in spilled.glob("*")))
        worker.resume()
        answer.result()
        assert not list(spilled.iterdir())


def test_a_failed_download_repeats_its_url_to_the_caller_and_in_the_log(
    sandbox_process: Server, sandbox: Sandbox
) -> None:
    with (
        file_server({}) as files,
        predictor_server(OPENAI_PROXY_URL=sandbox_process.url) as server,
    ):
        signed = f"{files}/gone.png?signature=test-signature"
        prediction = Cog(server.url).predict(input_images=[signed])

    assert "test-signature" in prediction.error
    assert "test-signature" in server.log
    assert not sandbox.ledger


def test_an_id_with_a_null_character_takes_a_slot_for_ever(sandbox_process: Server) -> None:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "COG_MAX_CONCURRENCY": "1"}
    with predictor_server(**environment) as server:
        body = {"id": "null\0", "input": {"prompt": "A lighthouse"}}
        requests.post(f"{server.url}/predictions", json=body, timeout=20)
        time.sleep(0.5)

        assert Cog(server.url).health()["status"] == "BUSY"


@pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="on Python 3.12.1 none of 15,000 hang-ups froze them; on 3.11.7 it takes 16 to 56",
)
def test_a_hang_up_while_cog_reads_inputs_freezes_them_but_no_paid_prediction(
    sandbox_process: Server,
) -> None:
    """Cog raises its cancellation in a thread that is being born; see gpt_image/threads.py."""
    # By name, because a lookup goes to a thread as well.
    by_name = sandbox_process.url.replace("127.0.0.1", "localhost")
    with predictor_server(OPENAI_PROXY_URL=by_name) as server, ThreadPoolExecutor() as pool:
        cog = Cog(server.url)
        paid = pool.submit(cog.predict, prompt="A lighthouse [sandbox:slow seconds=30]")
        time.sleep(0.5)

        hang_ups_until_frozen(server)

        started = time.monotonic()
        health = cog.health()
        assert time.monotonic() - started < 10
        assert health["status"] == "UNHEALTHY"
        assert "restart this container" in health["user_healthcheck_error"]
        assert cog.predict(prompt="Sent after the freeze").status == "succeeded"
        assert paid.result().status == "succeeded"


def hang_ups_until_frozen(server: Server) -> None:
    edit = {"prompt": "Edit", "input_images": [data_uri(picture())] * 3}
    port = int(server.root.rpartition(":")[2])
    moments = random.Random(1)
    for _ in range(60):
        for _ in range(8):
            hang_up(port, json.dumps({"input": edit}).encode(), moments.uniform(0, 0.03))
        if not answered(server, edit, within=3) and not answered(server, edit, within=12):
            return  # twice, since the first may only have been slow
    raise AssertionError("no freeze in 480 hang-ups: has Cog mended it?")


def answered(server: Server, edit: dict[str, Any], within: float) -> bool:
    try:
        requests.post(f"{server.url}/predictions", json={"input": edit}, timeout=within)
    except requests.Timeout:
        return False
    return True


def hang_up(port: int, body: bytes, after: float) -> None:
    with socket.create_connection(("127.0.0.1", port)) as caller:
        head = f"POST /predictions HTTP/1.1\r\nHost: cog\r\nContent-Length: {len(body)}\r\n"
        caller.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        time.sleep(after)


def test_webhooks_and_answers_hold_no_input(sandbox: Sandbox) -> None:
    """Not a leak: the line that Cog does draw."""
    with webhook_receiver() as webhooks, predictor_with_openai_at(sandbox) as server:
        body = {
            "input": {"prompt": "A lighthouse", "openai_api_key": KEY},
            "webhook": webhooks.url,
        }
        Cog(server.url).post(body, id="quiet", Prefer="respond-async")
        webhooks.completed("quiet")

    assert KEY not in json.dumps(webhooks.bodies) + server.log


def test_the_input_validation_of_cog_is_on(cog: Cog) -> None:
    schema = requests.get(f"{cog.url}/openapi.json", timeout=60)
    committed = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())

    assert schema.json() == committed


def predictor_with_openai_at(
    sandbox: Sandbox, **environment: str
) -> AbstractContextManager[Server]:
    return predictor_server(OPENAI_BASE_URL=f"{sandbox.root}/v1", **environment)
