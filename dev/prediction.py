"""One asynchronous prediction on a server of ours, followed through Cog's webhooks."""

import http.client
import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dev.servers import HOST, Server

FINAL = frozenset({"succeeded", "failed", "canceled"})
# Cog answers some 409 although a slot is free; such a request was never started.
BUSY_ATTEMPTS = 20
BUSY_PAUSE = 0.1  # seconds

State = dict[str, Any]


class PredictionError(Exception):
    """The server refused the request or went away; the text is one sentence."""


def follow(server: Server, inputs: Mapping[str, Any], tick: float = 0.1) -> Iterator[State]:
    """Start a prediction and yield its latest state every `tick` seconds, the final one last.

    A state is a webhook's body: `status`, `logs` so far, `metrics`, and at the end `output`
    (data URIs) or `error`.

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
        _start(server, json.dumps(body))
        while state["status"] not in FINAL:
            yield state
            try:
                # Webhooks can come out of order; the final one ends the loop, so it always wins.
                state = states.get(timeout=tick)
            except queue.Empty:
                if server.process.poll() is not None:
                    raise PredictionError("The predictor's server ended unexpectedly.") from None
        yield state


def _start(server: Server, body: str) -> None:
    for attempt in range(1, BUSY_ATTEMPTS + 1):
        connection = http.client.HTTPConnection(server.root.removeprefix("http://"), timeout=60)
        try:
            headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
            connection.request("POST", "/predictions", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except OSError as error:
            raise PredictionError(f"The predictor's server cannot be reached: {error}.") from None
        finally:
            connection.close()
        if answer.status == 202:
            return
        if answer.status != 409 or attempt == BUSY_ATTEMPTS:
            raise PredictionError(_reason(answer.status, text))
        time.sleep(BUSY_PAUSE)


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
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{HOST}:{receiver.server_port}/", states
        finally:
            receiver.shutdown()
            thread.join()
