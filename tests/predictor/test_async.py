"""Webhooks, ids, cancellation and many predictions at once, through Cog's own API."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog, Prediction, data_uri, picture
from tests.support.loopback import Webhooks, upload_receiver, webhook_receiver
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import fastest, wait_until

SLOW = "A slow lighthouse [sandbox:slow seconds=20]"
BRIEF = "A patient lighthouse [sandbox:slow seconds=0.5]"


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    with webhook_receiver() as webhooks:
        yield webhooks


def start(cog: Cog, webhooks: Webhooks, id: str, **inputs: object) -> requests.Response:
    body = {
        "input": {"prompt": "A lighthouse"} | inputs,
        "webhook": f"{webhooks.url}/{id}",
        "webhook_events_filter": ["start", "completed"],
    }
    return cog.post(body, id=id, Prefer="respond-async")


@pytest.mark.quick
def test_an_asynchronous_prediction_ends_with_a_webhook(
    cog: Cog, sandbox: Sandbox, webhooks: Webhooks
) -> None:
    assert start(cog, webhooks, "with-webhook").status_code == 202

    prediction = Prediction(webhooks.completed("with-webhook"))
    assert prediction.image.size == (1024, 1024)
    assert prediction.logs[0] == "Model check completed. Model: gpt-image-2"
    assert prediction.metrics["output_token_count"] == 196


def test_a_failed_asynchronous_prediction_says_why(cog: Cog, webhooks: Webhooks) -> None:
    start(cog, webhooks, "without-prompt", prompt=" ")

    prediction = Prediction(webhooks.completed("without-prompt"))
    assert prediction.status == "failed"
    assert prediction.error.startswith("InvalidInput: The prompt is empty")


def test_a_repeated_put_while_it_runs_asks_the_upstream_once(
    cog: Cog, sandbox: Sandbox, webhooks: Webhooks
) -> None:
    start(cog, webhooks, "once", prompt=BRIEF)
    repeated = start(cog, webhooks, "once", prompt=BRIEF)

    assert repeated.status_code == 202
    assert webhooks.completed("once")["status"] == "succeeded"
    assert len(sandbox.ledger) == 1


def test_cancelling_closes_the_upstream_connection_within_100_ms(
    cog: Cog, sandbox: Sandbox, webhooks: Webhooks, outputs: Path
) -> None:
    before = set(outputs.iterdir())
    ids = (f"cancel-{number}" for number in itertools.count())

    def cancel() -> float:
        id = next(ids)
        sandbox.forget()
        start(cog, webhooks, id, prompt=SLOW)
        sandbox.wait_for(lambda entry: entry["received"])

        cancelled_at = time.time()
        requests.post(f"{cog.url}/predictions/{id}/cancel", timeout=60).raise_for_status()

        assert webhooks.completed(id)["status"] == "canceled"
        sandbox.wait_for(lambda entry: entry["disconnected"])
        return float(sandbox.ledger[0]["disconnected_at"] - cancelled_at)

    assert fastest(cancel, enough=0.1, tries=10) < 0.1
    wait_until(lambda: set(outputs.iterdir()) == before)


def test_a_caller_who_hangs_up_cancels(cog: Cog, sandbox: Sandbox, outputs: Path) -> None:
    before = set(outputs.iterdir())
    hung_up_at: list[float] = []

    def hang_up() -> None:
        with pytest.raises(requests.Timeout):
            requests.post(
                f"{cog.url}/predictions", json={"input": {"prompt": SLOW}}, timeout=(5, 1)
            )
        hung_up_at.append(time.time())

    caller = threading.Thread(target=hang_up)
    caller.start()
    sandbox.wait_for(lambda entry: entry["received"])
    caller.join()

    sandbox.wait_for(lambda entry: entry["disconnected"])
    assert sandbox.ledger[0]["disconnected_at"] - hung_up_at[0] < 10  # SLOW takes longer
    wait_until(lambda: set(outputs.iterdir()) == before)


def test_cancelling_an_edit_closes_the_connection_and_removes_its_files(
    cog: Cog, sandbox: Sandbox, webhooks: Webhooks, outputs: Path
) -> None:
    before = set(outputs.iterdir())
    images = [data_uri(picture("TIFF"), "image/tiff"), data_uri(picture())]
    start(cog, webhooks, "cancel-edit", prompt=SLOW, input_images=images)
    sandbox.wait_for(lambda entry: entry["received"])
    requests.post(f"{cog.url}/predictions/cancel-edit/cancel", timeout=60).raise_for_status()

    sandbox.wait_for(lambda entry: entry["disconnected"])
    wait_until(lambda: set(outputs.iterdir()) == before)


def test_a_cancelled_prediction_frees_its_slot(sandbox_process: Server, sandbox: Sandbox) -> None:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "COG_MAX_CONCURRENCY": "1"}
    with predictor_server(**environment) as server, webhook_receiver() as webhooks:
        cog = Cog(server.url)
        start(cog, webhooks, "only-slot", prompt=SLOW)
        sandbox.wait_for(lambda entry: entry["received"])
        requests.post(f"{cog.url}/predictions/only-slot/cancel", timeout=60).raise_for_status()
        assert webhooks.completed("only-slot")["status"] == "canceled"

        started = time.monotonic()
        assert cog.predict().status == "succeeded"
        assert time.monotonic() - started < 15  # SLOW takes longer


def test_predictions_at_once_do_not_mix_logs_or_pictures(cog: Cog, sandbox: Sandbox) -> None:
    def predict(number: int) -> Prediction:
        size = "1:1" if number % 2 else "3:2"
        return cog.send(
            {
                "input": {"prompt": BRIEF, "aspect_ratio": size, "number_of_images": number},
                "context": {"prediction_id": f"number-{number}"},
            }
        )

    with ThreadPoolExecutor(8) as pool:
        predictions = list(pool.map(predict, range(1, 9)))

    for number, prediction in enumerate(predictions, start=1):
        assert len(prediction.images) == number
        expected = (1024, 1024) if number % 2 else (1536, 1024)
        assert {image.size for image in prediction.images} == {expected}
        assert [line for line in prediction.logs if "Sid" in line] == [f"Sid number-{number}"]
        assert f"Generated {number} images" in prediction.logs
        assert len(prediction.logs) == 8


def test_waiting_predictions_wait_side_by_side(cog: Cog) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        waiting = pool.map(lambda _: cog.predict(prompt="[sandbox:slow seconds=2]"), range(16))

    assert {prediction.status for prediction in waiting} == {"succeeded"}
    assert time.monotonic() - started < 16 * 2 / 2


def test_sigterm_drains_a_synchronous_prediction(sandbox_process: Server, sandbox: Sandbox) -> None:
    with (
        predictor_server(OPENAI_PROXY_URL=sandbox_process.url) as server,
        ThreadPoolExecutor() as pool,
    ):
        waiting = pool.submit(
            Cog(server.url).predict, prompt="A lighthouse [sandbox:slow seconds=2]"
        )
        sandbox.wait_for(lambda entry: entry["received"])

        assert server.stop() == 0
        assert waiting.result().status == "succeeded"


def test_an_asynchronous_prediction_survives_sigterm_where_shutdown_is_awaited(
    sandbox_process: Server, sandbox: Sandbox, webhooks: Webhooks
) -> None:
    """The manifests start Cog so, and call /shutdown once the deadline has passed."""
    arguments = ["--await-explicit-shutdown", "true"]
    with predictor_server(arguments=arguments, OPENAI_PROXY_URL=sandbox_process.url) as server:
        cog = Cog(server.url)
        start(cog, webhooks, "survivor", prompt="A lighthouse [sandbox:slow seconds=2]")
        sandbox.wait_for(lambda entry: entry["received"])
        server.process.terminate()

        assert webhooks.completed("survivor")["status"] == "succeeded"
        requests.post(f"{server.url}/shutdown", timeout=60)
        assert server.process.wait(10) == 0


def test_uploads_get_names_of_their_own_and_hold_the_images(sandbox_process: Server) -> None:
    with (
        upload_receiver() as uploads,
        predictor_server(
            arguments=["--upload-url", uploads.url], OPENAI_PROXY_URL=sandbox_process.url
        ) as server,
    ):
        cog = Cog(server.url)
        body = {
            "input": {"prompt": "A lighthouse", "number_of_images": 3},
            "context": {"prediction_id": "abc-123"},
        }
        urls = [*cog.send(body).body["output"], *cog.send(body).body["output"]]

        assert len(set(urls)) == 6
        names = sorted(uploads.files)
        assert all(name.startswith("abc-123-") and name.endswith(".webp") for name in names)
        assert all(file[8:12] == b"WEBP" for file in uploads.files.values())
