"""Upstreams that break the protocol: nobody gets another's picture, nothing is paid for twice."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
from PIL import Image

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog, Prediction, data_uri, picture
from tests.support.raw_upstream import Connection, RawUpstream, http, image_answer, raw_upstream
from tests.support.waiting import fastest

TEAL, RED = (0, 128, 128), (255, 0, 0)


class Upstream:
    """One raw upstream for all tests of this file; each gives it another way to serve."""

    def __init__(self) -> None:
        self.serve: Callable[[Connection], None] = lambda connection: None
        self.raw: RawUpstream
        self.server: Server

    @property
    def cog(self) -> Cog:
        return Cog(self.server.url)

    def worker_memory(self) -> int:
        """Peak bytes of all the processes of Cog's server."""
        processes = [psutil.Process(self.server.process.pid)]
        processes += processes[0].children(recursive=True)
        return sum(process.memory_info().rss for process in processes)


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    here = Upstream()
    with (
        raw_upstream(lambda connection: here.serve(connection)) as here.raw,
        predictor_server(OPENAI_PROXY_URL=here.raw.url, OPENAI_DEADLINE_SECONDS="20") as server,
    ):
        here.server = server
        yield here


@pytest.fixture
def upstream(running: Upstream) -> Upstream:
    running.raw.connections.clear()
    return running


def color_of(prediction: Prediction) -> tuple[int, ...]:
    pixel = prediction.image.convert("RGB").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    return pixel


def is_close(color: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 30 for a, b in zip(color, other, strict=True))


# --- one caller never gets another's picture


@pytest.mark.parametrize(
    "first",
    [
        http(b'{"error": {"message": "gave up"}}', "504 Gateway Timeout"),
        http(b"", "408 Request Timeout"),
        http(b'{"error": {"message": "no"}}', "400 Bad Request"),
        image_answer("teal"),
    ],
    ids=["504", "408", "400", "200"],
)
@pytest.mark.parametrize("late", [0, 0.1])
def test_a_late_answer_never_reaches_the_next_caller(
    upstream: Upstream, first: bytes, late: float
) -> None:
    """The gateway lets A's answer out on the connection on which it had given A up."""

    def gateway(connection: Connection) -> None:
        request = connection.request()
        if b"of A" in request:
            connection.send(first)
            time.sleep(late)
            connection.send(image_answer("red"))
            request = connection.request()
        if request:
            connection.send(image_answer("teal"))

    upstream.serve = gateway
    upstream.cog.predict(prompt="The picture of A")
    time.sleep(2 * late)
    prediction = upstream.cog.predict(prompt="The picture of B")

    assert is_close(color_of(prediction), TEAL)
    assert any(b"of B" in request for request in upstream.raw.requests), "B was never asked for"


JUNK = {
    "a picture": image_answer("red"),
    "a stale 408": http(b"", "408 Request Timeout", "Connection: close"),
    "a stale 429": http(b'{"error": {"code": "rate_limit_exceeded"}}', "429 Too Many Requests"),
    "a 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a 101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "a 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an empty line": b"\r\n",
    "a NUL": b"\0",
    "half a status line": b"HTTP/1.",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a chunk": b"5\r\nhello\r\n",
    "a last chunk": b"0\r\n\r\n",
    "more JSON": b'{"data": []}',
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "a whole page": b"<html>" + b" " * 300_000 + b"</html>",
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_what_an_idle_connection_says_harms_nobody(upstream: Upstream, junk: bytes) -> None:
    answered, said = threading.Semaphore(0), threading.Semaphore(0)

    def chatty(connection: Connection) -> None:
        while connection.request():
            connection.send(image_answer("teal"))
            answered.acquire(timeout=60)
            try:
                connection.send(junk)
            finally:
                said.release()

    upstream.serve = chatty
    for _ in range(3):
        prediction = upstream.cog.predict()
        assert prediction.status == "succeeded", prediction.error
        assert is_close(color_of(prediction), TEAL)
        answered.release()
        # A request that is on its way by then would get it for an answer.
        assert said.acquire(timeout=60)

    assert len(upstream.raw.requests) == 3


# --- a reset at any byte is never paid for twice


@pytest.mark.parametrize("kept", [0, 1, 17, 90, 200, 333])
@pytest.mark.parametrize("edit", [False, True], ids=["generate", "edit"])
def test_a_reset_while_the_request_is_sent_may_have_been_billed(
    upstream: Upstream, kept: int, edit: bool
) -> None:
    def resetting(connection: Connection) -> None:
        connection.read(kept)
        connection.reset()

    upstream.serve = resetting
    inputs = {"input_images": [data_uri(picture())]} if edit else {}
    prediction = upstream.cog.predict(**inputs)

    assert prediction.error.startswith("ConnectionLost: ")
    assert "may have been billed" in prediction.error
    # A reset that comes at once may come before the connection is made, which is safe to repeat.
    assert len(upstream.raw.connections) == 1 or not kept


RESET_AT = [0, 1, 9, 15, 16, 17, 40, 60, 80, 90, 100, 150]


@pytest.mark.parametrize("sent", RESET_AT)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_answer_that_breaks_off_may_have_been_billed(
    upstream: Upstream, sent: int, reset: bool
) -> None:
    def breaking(connection: Connection) -> None:
        connection.request()
        connection.send(image_answer()[:sent])
        time.sleep(0.02)
        if reset:
            connection.reset()

    upstream.serve = breaking
    prediction = upstream.cog.predict()

    assert prediction.error.partition(":")[0] in {"ConnectionLost", "AnswerNotUsable"}
    assert "may have been billed" in prediction.error
    assert len(upstream.raw.requests) == 1


# --- nothing that an upstream sends is unbounded


@contextmanager
def meanwhile_served(upstream: Upstream) -> Iterator[list[float]]:
    """Seconds that each healthy prediction takes while something heavy goes on."""
    taken: list[float] = []
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            started = time.monotonic()
            assert upstream.cog.predict(prompt="healthy").status == "succeeded"
            taken.append(time.monotonic() - started)

    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(go_on)
        time.sleep(0.2)
        try:
            yield taken
        finally:
            over.set()
        others.result()


def heavy_for_the_first(answer: bytes) -> Callable[[Connection], None]:
    def serve(connection: Connection) -> None:
        request = connection.request()
        connection.send(image_answer() if b"healthy" in request else answer)

    return serve


def entries(entry: str, count: int) -> bytes:
    return f'{{"data":[{",".join([entry] * count)}]}}'.encode()


ONE = json.dumps({"b64_json": data_uri(picture("WEBP")).partition(",")[2]})
BOMB = gzip.compress(b" " * (200 << 20))
DEEP = b'{"error":' + b"[" * 5_000_000

HEAVY = {
    "an error that unpacks to 200 MB": http(BOMB, "400 Bad Request", "Content-Encoding: gzip"),
    "an answer that unpacks to 200 MB": http(BOMB, "200 OK", "Content-Encoding: gzip"),
    "500,000 entries": http(entries("{}", 500_000)),
    "500,000 empty images": http(entries('{"b64_json":""}', 500_000)),
    "500,000 images": http(entries('{"b64_json":"AAAA"}', 500_000)),
    "a deep answer": http(DEEP),
    "a deep error": http(DEEP, "400 Bad Request"),
    "a long error": http(b'{"error":"' + b"x" * 50_000_000, "500 Internal Server Error"),
}


@pytest.mark.parametrize("answer", HEAVY.values(), ids=HEAVY)
def test_a_heavy_answer_costs_others_nothing(upstream: Upstream, answer: bytes) -> None:
    upstream.serve = heavy_for_the_first(answer)
    before = upstream.worker_memory()

    def slowest_of_the_others() -> float:
        with meanwhile_served(upstream) as taken:
            prediction = upstream.cog.predict(prompt="heavy")
            grown = upstream.worker_memory() - before
        assert prediction.status == "failed"
        assert not prediction.error.startswith("UnexpectedFailure")
        assert grown < 100 << 20
        return max(taken)

    assert fastest(slowest_of_the_others, enough=2) < 2


def test_more_images_than_asked_for_are_left_out_and_said(upstream: Upstream) -> None:
    upstream.serve = heavy_for_the_first(http(entries(ONE, 30)))
    prediction = upstream.cog.predict()

    assert len(prediction.images) == 1
    assert "The upstream sent 30 images instead of 1." in prediction.logs


def test_the_images_before_an_endless_rest_are_kept(upstream: Upstream) -> None:
    upstream.serve = heavy_for_the_first(http(entries(ONE, 5000)))
    prediction = upstream.cog.predict(number_of_images=2)

    assert len(prediction.images) == 2
    assert any("far too long" in line for line in prediction.logs)


@pytest.mark.parametrize(
    "headers",
    [("X-Policy: " + "x" * 30_000,), tuple(f"X-Trace-{n}: {n}" for n in range(500))],
    ids=["a header of 30 KB", "500 headers"],
)
def test_large_headers_lose_no_paid_answer(upstream: Upstream, headers: tuple[str, ...]) -> None:
    added = ("\r\n" + "\r\n".join(headers) + "\r\n").encode()
    upstream.serve = heavy_for_the_first(image_answer().replace(b"\r\n", added, 1))
    assert upstream.cog.predict().status == "succeeded"


def test_a_compressed_answer_is_unpacked(upstream: Upstream) -> None:
    body = image_answer().partition(b"\r\n\r\n")[2]
    packed = http(gzip.compress(body), "200 OK", "Content-Encoding: gzip")
    upstream.serve = heavy_for_the_first(packed)
    image = upstream.cog.predict().image

    assert isinstance(image, Image.Image)
    assert image.size == (64, 48)
