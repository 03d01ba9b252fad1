"""Webhooks: signed, in the caller's words, and the last one until it arrives."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from tests.api.replicate_caller import ReplicateCaller


class Receiver:
    """Answers with the statuses it is given, then with 200; keeps headers and raw bodies."""

    def __init__(self, url: str, statuses: list[int]) -> None:
        self.url = url
        self.statuses = statuses
        self.received: list[tuple[dict[str, str], bytes]] = []

    def wait_for(self, count: int, within: float = 60) -> None:
        give_up = time.monotonic() + within
        while len(self.received) < count:
            assert time.monotonic() < give_up, f"{len(self.received)} of {count} webhooks came"
            time.sleep(0.02)


@contextmanager
def receiver(*statuses: int) -> Iterator[Receiver]:
    here: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            here.received.append((headers, body))
            self.send_response(here.statuses.pop(0) if here.statuses else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Receiver(f"http://127.0.0.1:{server.server_port}/hook", list(statuses))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def test_the_last_webhook_is_the_prediction_as_get_shows_it(caller: ReplicateCaller) -> None:
    with receiver() as hook:
        created = caller.created(webhook=hook.url, webhook_events_filter=["completed"])
        hook.wait_for(1)
        _, body = hook.received[0]

    assert json.loads(body) == caller.ended(created["id"])


def test_a_webhook_is_signed_with_the_tenants_secret(caller: ReplicateCaller) -> None:
    secret = caller.get("webhooks/default/secret").json()["key"]
    with receiver() as hook:
        caller.created(webhook=hook.url, webhook_events_filter=["completed"])
        hook.wait_for(1)
        headers, body = hook.received[0]

    assert headers["content-type"] == "application/json"
    Webhook(secret).verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(body + b" ", headers)


def test_javascript_can_stringify_the_parsed_body_again(caller: ReplicateCaller) -> None:
    with receiver() as hook:
        caller.created('Straße "7" \u2028 ☂ \\ /', webhook=hook.url)
        hook.wait_for(1)
        _, body = hook.received[-1]

    script = (
        "let s='';process.stdin.on('data',d=>s+=d).on('end',()=>"
        "process.stdout.write(JSON.stringify(JSON.parse(s))))"
    )
    again = subprocess.run(["node", "-e", script], input=body, capture_output=True, check=True)
    assert again.stdout == body


def test_a_webhook_that_failed_is_sent_again_with_the_same_id(caller: ReplicateCaller) -> None:
    with receiver(500, 404, 301) as hook:
        caller.created(webhook=hook.url, webhook_events_filter=["completed"])
        hook.wait_for(4)

    assert len({headers["webhook-id"] for headers, _ in hook.received}) == 1
    assert len({body for _, body in hook.received}) == 1


def test_events_are_those_that_were_asked_for(caller: ReplicateCaller) -> None:
    with receiver() as all_events, receiver() as start:
        events = ["start", "output", "logs", "completed"]
        caller.created(webhook=all_events.url, webhook_events_filter=events)
        caller.ended(caller.created(webhook=start.url, webhook_events_filter=["start"])["id"])
        start.wait_for(1)
        all_events.wait_for(2)
        time.sleep(0.5)

    statuses = [json.loads(body)["status"] for _, body in all_events.received]
    assert {"processing", "succeeded"} <= set(statuses)
    assert [json.loads(body)["status"] for _, body in start.received] == ["processing"]


def test_a_webhook_address_that_is_none_is_refused(caller: ReplicateCaller) -> None:
    body: dict[str, object] = {"input": {"prompt": "a"}}
    wrong: list[dict[str, object]] = [
        {"webhook": "ftp://x"},
        {"webhook": 1},
        {"webhook_events_filter": ["end"]},
    ]

    for members in wrong:
        assert caller.create(body=body | members).status_code == 422, members
