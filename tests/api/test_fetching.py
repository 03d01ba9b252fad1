"""Inputs and webhooks: fetched as asked, and bounded in time and size."""

import asyncio
import gzip
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest
import trustme

from api.fetching import Bounds, FetchFailed, FetchRefused
from tests.api.fetches import PICTURE, download, lookup_of, post
from tests.api.raw_server import answer, raw_server

Broken = Callable[[bytes], Iterator[bytes]]


def test_a_file_is_fetched_as_it_is(tmp_path: Path) -> None:
    with raw_server(lambda _: answer(PICTURE)) as server:
        length = download(f"http://files.example:{server.port}/a?b=c%2Fd", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == PICTURE
    assert length == len(PICTURE)
    (request,) = server.requests
    assert request.startswith(b"GET /a?b=c%2Fd HTTP/1.1\r\n")
    assert f"\r\nHost: files.example:{server.port}\r\n".encode() in request
    assert b"\r\nAccept-Encoding: identity\r\n" in request
    assert b"Cookie" not in request
    assert b"Authorization" not in request


def test_the_certificate_is_asked_for_and_checked_by_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    ours, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("files.example").configure_cert(ours)
    authority.configure_trust(client)
    with raw_server(lambda _: answer(PICTURE), tls=ours) as server:
        download(f"https://files.example:{server.port}/", tmp_path / "file", tls=client)
        assert server.names == ["files.example"]
        assert (tmp_path / "file").read_bytes() == PICTURE
        with pytest.raises(FetchFailed, match="valid certificate"):
            download(f"https://other.example:{server.port}/", tmp_path / "other", tls=client)
        with pytest.raises(FetchFailed, match="valid certificate"):
            download(f"https://files.example:{server.port}/", tmp_path / "untrusted")


def test_redirects_are_followed_also_relative_ones(tmp_path: Path) -> None:
    def reply(request: bytes) -> list[bytes]:
        if request.startswith(b"GET /start"):
            return answer(status="302 Found", Location="next?at=1")
        return answer(PICTURE)

    with raw_server(reply) as server:
        download(f"http://files.example:{server.port}/start", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == PICTURE
    assert server.requests[1].startswith(b"GET /next?at=1 ")


def test_redirects_end(tmp_path: Path) -> None:
    with (
        raw_server(lambda _: answer(status="307 Again", Location="/")) as server,
        pytest.raises(FetchFailed, match="more than 5 redirects"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file")
    assert len(server.requests) == 6


def test_logins_reach_only_the_server_that_the_caller_named(tmp_path: Path) -> None:
    with raw_server(lambda _: answer(PICTURE)) as elsewhere:
        away = f"http://planted:login@other.example:{elsewhere.port}/"
        with raw_server(lambda _: answer(status="301 Moved", Location=away)) as named:
            download(f"http://me:mine@files.example:{named.port}/", tmp_path / "file")
    assert b"\r\nAuthorization: Basic bWU6bWluZQ==\r\n" in named.requests[0]
    assert b"Authorization" not in elsewhere.requests[0]
    assert b"Referer" not in elsewhere.requests[0]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Broken", "204 No Content"])
def test_anything_but_200_fails(status: str, tmp_path: Path) -> None:
    with (
        raw_server(lambda _: answer(status=status)) as server,
        pytest.raises(FetchFailed, match=f"its server answered {status[:3]}"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file")


def test_a_body_that_announces_too_much_is_not_read(tmp_path: Path) -> None:
    def announce(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
        yield from repeat(bytes(100_000), 1000)

    with (
        raw_server(announce) as server,
        pytest.raises(FetchFailed, match="larger than 60000000 bytes"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file", Bounds(60_000_000, 5))
    assert server.sent < 40_000_000
    assert not list(tmp_path.iterdir())


def test_a_body_without_end_is_cut_at_the_bound_and_leaves_no_file(tmp_path: Path) -> None:
    def endless(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + bytes(0x10000) + b"\r\n"

    with (
        raw_server(endless) as server,
        pytest.raises(FetchFailed, match="larger than 1000000 bytes"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file", Bounds(1_000_000, 5))
    assert server.sent < 20_000_000
    assert not list(tmp_path.iterdir())


def test_a_body_of_just_the_bound_is_taken(tmp_path: Path) -> None:
    with raw_server(lambda _: answer(bytes(1000))) as server:
        download(f"http://files.example:{server.port}/", tmp_path / "file", Bounds(1000, 5))


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    with (
        raw_server(lambda _: answer(bomb, Content_Encoding="gzip")) as server,
        pytest.raises(FetchFailed, match="came compressed"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file")
    assert not list(tmp_path.iterdir())


def drip_the_body(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    while True:
        time.sleep(0.05)
        yield b"x"


def drip_the_head(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        time.sleep(0.05)
        yield b"X-Header: x\r\n"


def redirect_slowly_for_ever(_: bytes) -> Iterator[bytes]:
    time.sleep(0.15)
    yield from answer(status="302 Found", Location="/")


def say_nothing(_: bytes) -> Iterator[bytes]:
    time.sleep(10)
    yield b""


@pytest.mark.parametrize(
    "slow", [drip_the_body, drip_the_head, redirect_slowly_for_ever, say_nothing]
)
def test_a_slow_server_is_cut_when_the_whole_time_is_over(slow: Broken, tmp_path: Path) -> None:
    started = time.monotonic()
    with raw_server(slow) as server:
        with pytest.raises(FetchFailed, match=r"took longer than 0\.5 s"):
            download(f"http://files.example:{server.port}/", tmp_path / "file", Bounds(1000, 0.5))
        assert time.monotonic() - started < 8
    assert not list(tmp_path.iterdir())


def test_a_slow_name_server_is_cut_as_well(tmp_path: Path) -> None:
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.sleep(10)
        return []

    with pytest.raises(FetchFailed, match=r"took longer than 0\.2 s"):
        download("http://files.example/", tmp_path / "file", Bounds(1000, 0.2), lookup=slow)


def truncated(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"


def hung_up(_: bytes) -> Iterator[bytes]:
    yield b""


def no_http(_: bytes) -> Iterator[bytes]:
    yield b"220 mail.example ESMTP\r\n\r\n"


def endless_head(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X: " + bytes(65536)


@pytest.mark.parametrize("broken", [truncated, hung_up, no_http, endless_head])
def test_a_broken_answer_fails_and_leaves_no_file(broken: Broken, tmp_path: Path) -> None:
    with (
        raw_server(broken) as server,
        pytest.raises(FetchFailed, match="Input image 2: the connection to its server failed"),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_a_closed_port_and_an_unknown_name_are_told_apart(tmp_path: Path) -> None:
    with raw_server(lambda _: []) as server:
        closed = server.port
    with pytest.raises(FetchFailed, match="the connection to its server failed"):
        download(f"http://files.example:{closed}/", tmp_path / "file")
    with pytest.raises(FetchFailed, match="no address is known for its host name"):
        download("http://unknown.example/", tmp_path / "file", lookup=lookup_of())


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://files.example/canary",
        "data:text/plain,canary",
        "//files.example/canary",
        "/etc/canary",
        "http:///canary",
        "http://files.example:0/canary",
        "http://files.example:99999/canary",
        "http://[::1/canary",
        "http://files.example/" + "canary" * 2000,
        "",
    ],
)
def test_what_is_no_http_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchRefused, match="Input image 2 is"):
        download(url, tmp_path / "file")
    with pytest.raises(FetchRefused):
        post(url)


def test_no_failure_repeats_the_address(tmp_path: Path) -> None:
    with (
        raw_server(lambda _: answer(status="404 Not Found")) as absent,
        raw_server(hung_up) as broken,
        raw_server(
            lambda _: answer(status="302 Found", Location="gopher://canary/")
        ) as redirecting,
    ):
        ports = [absent.port, broken.port, redirecting.port]
        urls = [f"http://user:canary@canary.example:{port}/canary" for port in ports]
        urls += ["http://127.0.0.1/canary", "http://canary.0x7f/", "canary", "http://1.2.3/canary"]
        for number, url in enumerate(urls):
            with pytest.raises(FetchFailed) as caught:
                download(url, tmp_path / str(number))
            assert (
                "canary"
                not in "".join(traceback.format_exception(caught.value)).split("FetchFailed")[-1]
            )
            assert "Input image 2" in str(caught.value)
            assert "canary" not in str(caught.value)


def test_proxies_and_logins_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine files.example login operator password canary\n")
    netrc.chmod(0o600)
    with (
        raw_server(lambda _: answer(b"from the proxy")) as proxy,
        raw_server(lambda _: answer(PICTURE)) as server,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.2:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        download(f"http://files.example:{server.port}/", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == PICTURE
    assert b"Authorization" not in server.requests[0]


def test_a_webhook_is_posted_as_it_is() -> None:
    with raw_server(lambda _: answer(status="202 Accepted")) as server:
        status = post(f"http://hooks.example:{server.port}/hook", b'{"id":"1"}')
    assert status == 202
    assert server.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"\r\nwebhook-id: msg_1\r\n" in server.requests[0]
    assert server.requests[0].endswith(b'\r\n\r\n{"id":"1"}')


def test_a_webhook_follows_no_redirect() -> None:
    with raw_server(lambda _: answer(status="307 Moved", Location="/elsewhere")) as server:
        assert post(f"http://hooks.example:{server.port}/") == 307
    assert len(server.requests) == 1


def test_a_webhook_waits_no_longer_than_it_may_and_reads_no_answer() -> None:
    with (
        raw_server(drip_the_head) as slow,
        pytest.raises(FetchFailed, match=r"took longer than 0\.3 s"),
    ):
        post(f"http://hooks.example:{slow.port}/", seconds=0.3)
    with raw_server(drip_the_body) as talkative:
        assert post(f"http://hooks.example:{talkative.port}/", seconds=0.3) == 200
