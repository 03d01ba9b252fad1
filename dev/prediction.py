"""One asynchronous prediction on a server of ours, followed through Cog's webhooks."""

import json
import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from dev.busy import until_taken
from dev.servers import HOST, Server

FINAL = frozenset({"succeeded", "failed", "canceled"})
BUSY_FOR = 2.0  # seconds; the server is our own, so that its slots are free
# For the server's environment. Cog sends at most one webhook in 500 ms and drops the others, so
# lines logged right after the start would show when the images are there (seen on Cog 0.23.1).
EVERY_WEBHOOK = {"COG_THROTTLE_RESPONSE_INTERVAL": "0"}

State = dict[str, Any]


class PredictionError(Exception):
    """The server refused the request or went away; the text is one sentence."""


def follow(
    server: Server, inputs: Mapping[str, Any], tick: float = 0.1
) -> Generator[State, None, None]:
    """Start a prediction and yield its latest state every `tick` seconds, the final one last.

    A state is a webhook's body: `status`, `logs` so far, `metrics`, and at the end `output`
    (data URIs) or `error`. Closing the iterator before that cancels the prediction.

    Raises:
        PredictionError: refused (the reason is the server's), or the server ended.
    """
    with _webhook_receiver() as (url, states):
        state: State = {"status": "starting", "logs": ""}
        body = {
            "input": inputs,
            "webhook": url,
            "webhook_events_filter": ["start", "logs", "completed"],
        }
        prediction_id = _start(server, json.dumps(body))
        try:
            while state["status"] not in FINAL:
                yield state
                # Webhooks can come out of order; the final one ends the loop, so it always wins.
                state = _next(states, tick, server) or state
            yield state
        finally:
            if state["status"] not in FINAL:
                _cancel(server, prediction_id)


def _next(states: "queue.SimpleQueue[State]", within: float, server: Server) -> State | None:
    try:
        return states.get(timeout=within)
    except queue.Empty:
        if server.process.poll() is not None:
            raise PredictionError("The predictor's server ended unexpectedly.") from None
        return None


def _start(server: Server, body: str) -> str:
    """Post the request; the id that the server gave the prediction."""
    try:
        answer = until_taken(lambda: _post(server, "/predictions", body), BUSY_FOR)
    except requests.RequestException as error:
        raise PredictionError(f"The predictor's server cannot be reached: {error}.") from None
    if answer.status_code == 202:
        return str(answer.json()["id"])
    raise PredictionError(_reason(answer.status_code, answer.text))


def _cancel(server: Server, prediction_id: str) -> None:
    # A server that is told to stop waits for what runs, which can be minutes.
    with suppress(requests.RequestException):
        _post(server, f"/predictions/{prediction_id}/cancel", "")


def _post(server: Server, path: str, body: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the user's has no part in this
        headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
        return session.post(server.root + path, body.encode(), headers=headers, timeout=60)


def _reason(status: int, text: str) -> str:
    """The sentence in a refusal of Cog's, which is a list of problems, an error or plain text."""
    try:
        body = json.loads(text)
        problems = [f"{problem['loc'][-1]}: {problem['msg']}" for problem in body["detail"]]
    except (ValueError, TypeError, LookupError):
        return f"The predictor's server refused the request with status {status}: {text[:300]}"
    return "; ".join(problems) + "."


@contextmanager
def _webhook_receiver() -> Iterator[tuple[str, "queue.SimpleQueue[State]"]]:
    states: queue.SimpleQueue[State] = queue.SimpleQueue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            states.put(json.loads(body))

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the prediction's progress is what the terminal is for."""

    with ThreadingHTTPServer((HOST, 0), Receiver) as receiver:
        thread = threading.Thread(
            target=receiver.serve_forever,
            args=(0.05,),
            daemon=True,  # or a second Ctrl-C would leave us waiting for it
        )
        thread.start()
        try:
            yield f"http://{HOST}:{receiver.server_port}/", states
        finally:
            receiver.shutdown()
            thread.join()
