"""Fetching an image is bounded in size and time, and to addresses that anybody may reach."""

import gzip
import socket
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from dev.servers import predictor_server
from tests.support.cog_client import Cog
from tests.support.loopback import Answer, Received, StandIn, raw_server, stand_in
from tests.support.waiting import wait_until
from tests.support.written_answers import fetches, notes, serve, webp

pytestmark = pytest.mark.long


def test_what_a_redirect_says_besides_is_not_read(here: Cog, upstream: StandIn) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1 << 20
            yield bytes(1 << 20)

    def files(request: Received) -> Answer:
        if request.path == "/moved":
            return Answer(endless(), status=302, headers={"Location": "/picture"})
        return Answer(webp())

    serve(upstream, f"{upstream.root}/moved", files=files)

    assert here.predict().files == [webp()]
    assert sent < 20 << 20, "more than sockets hold by themselves"


def test_a_file_that_comes_compressed_though_nobody_asked_is_unpacked(
    here: Cog, upstream: StandIn
) -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)

    def files(request: Received) -> Answer:
        if request.path == "/bomb":
            return Answer(bomb, headers={"Content-Encoding": "deflate"})
        return Answer(gzip.compress(webp()), headers={"Content-Encoding": "gzip"})

    serve(upstream, f"{upstream.root}/bomb", f"{upstream.root}/picture", files=files)

    prediction = here.predict(number_of_images=2)

    assert prediction.files == [webp()]
    assert notes(prediction) == ["1 of 2 images were unusable: image 1 is larger than 64 MB"]


def test_a_file_without_end_is_given_up_at_the_size_limit(here: Cog, upstream: StandIn) -> None:
    megabyte = bytes(1 << 20)
    serve(
        upstream,
        f"{upstream.root}/endless",
        webp(),
        files=lambda _: Answer(megabyte for _ in range(1000)),
    )

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == ["1 of 2 images were unusable: image 1 is larger than 64 MB"]
    assert len(fetches(upstream)) == 1


def dripping() -> Iterator[bytes]:
    for _ in range(1000):
        time.sleep(0.1)
        yield b"."


def test_a_caller_who_hangs_up_ends_the_fetch(here: Cog, upstream: StandIn, home: Path) -> None:
    serve(upstream, f"{upstream.root}/slow", files=lambda _: Answer(dripping()))
    before = set((home / "outputs").iterdir())

    with pytest.raises(requests.Timeout):
        body = {"input": {"prompt": "A lighthouse"}}
        requests.post(f"{here.url}/predictions", json=body, timeout=(5, 1.5))

    assert len(fetches(upstream)) == 1
    # The file itself takes 100 s to come.
    wait_until(lambda: set((home / "outputs").iterdir()) == before, within=30)


def test_a_file_that_comes_too_slowly_is_given_up_at_the_deadline(upstream: StandIn) -> None:
    serve(upstream, f"{upstream.root}/slow", webp(), files=lambda _: Answer(dripping()))
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OPENAI_DEADLINE_SECONDS="8"
    ) as server:
        prediction = Cog(server.url).predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 was not fetched before the deadline"
    ]
    assert 7 < prediction.metrics["generate_time"] < 30


def a_header_without_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(300):
        connection.sendall(b".")
        time.sleep(0.1)


@pytest.fixture(scope="module")
def patient(running_stand_in: StandIn) -> Iterator[Cog]:
    """A predictor with a deadline of 8 s that may fetch from any server of this machine."""
    with predictor_server(
        OPENAI_PROXY_URL=f"{running_stand_in.root}/v1",
        OPENAI_DEADLINE_SECONDS="8",
        OPENAI_FETCH_NETWORKS="127.0.0.0/8, ::1",
    ) as server:
        yield Cog(server.url)


def test_a_header_that_drips_ends_with_the_deadline(patient: Cog, upstream: StandIn) -> None:
    with raw_server(a_header_without_end) as slow:
        serve(upstream, f"{slow}/picture", webp())
        prediction = patient.predict(number_of_images=2)

    assert prediction.files == [webp()]
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 was not fetched before the deadline"
    ]
    assert prediction.metrics["generate_time"] < 25  # the header takes 30


def test_fetches_that_were_given_up_hold_up_nobody(patient: Cog, upstream: StandIn) -> None:
    def hang_up(_: int) -> None:
        with suppress(requests.Timeout):
            body = {"input": {"prompt": "A lighthouse"}}
            requests.post(f"{patient.url}/predictions", json=body, timeout=(5, 0.7))

    with raw_server(a_header_without_end) as slow:
        serve(upstream, f"{slow}/picture")
        for _ in range(3):
            with ThreadPoolExecutor(16) as callers:
                list(callers.map(hang_up, range(16)))
        serve(upstream, f"{upstream.root}/picture", files=lambda _: Answer(webp()))
        healthy = patient.predict()

    assert healthy.files == [webp()]
    assert healthy.metrics["generate_time"] < 6  # one that is held up ends with the deadline


def test_addresses_that_only_this_machine_can_reach_are_not_fetched(
    here: Cog, upstream: StandIn
) -> None:
    with stand_in() as internal:
        port = internal.root.rpartition(":")[2]
        hosts = ["127.0.0.1", "localhost", "[::ffff:7f00:1]", "0.0.0.0", "2130706433", "0x7f.1"]
        moved = f"{upstream.root}/moved"
        serve(
            upstream,
            *[f"http://{host}:{port}/secret" for host in hosts],
            "http://169.254.169.254/latest/meta-data/",
            moved,
            webp(),
            files=lambda _: Answer(status=302, headers={"Location": f"{internal.root}/secret"}),
        )
        prediction = here.predict(number_of_images=9)

    assert prediction.files == [webp()]
    said = "came as an address inside a network that is not public, and OPENAI_FETCH_NETWORKS"
    assert notes(prediction)[0].count(said) == 8
    assert not internal.requests


def test_an_operator_may_allow_a_network(patient: Cog, upstream: StandIn) -> None:
    with stand_in() as internal:
        internal.answer = lambda _: Answer(webp())
        serve(upstream, f"{internal.root}/picture")
        assert patient.predict().files == [webp()]


def test_an_egress_proxy_resolves_names_and_is_asked_for_no_forbidden_address(
    upstream: StandIn,
) -> None:
    serve(
        upstream,
        "http://images.example/picture",
        "http://169.254.169.254/",
        "http://[::1]/",
        webp(),
    )
    with (
        stand_in() as proxy,
        predictor_server(
            OPENAI_PROXY_URL=f"{upstream.root}/v1", HTTP_PROXY=proxy.root, NO_PROXY="127.0.0.1"
        ) as server,
    ):
        proxy.answer = lambda _: Answer(webp("red"))
        prediction = Cog(server.url).predict(number_of_images=4)

    assert prediction.files == [webp("red"), webp()]
    assert notes(prediction)[0].count("inside a network that is not public") == 2
    assert proxy.paths() == ["http://images.example/picture"]
