"""Images are fetched from public addresses, the upstream's own host and allowed networks only."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest

from gpt_image.deadline import Deadline
from gpt_image.output_images.fetch import Fetcher
from gpt_image.output_images.guard import Address, Guard, HostNotFound, Lookups, is_public
from gpt_image.output_images.unusable import Unusable
from gpt_image.settings import Settings
from gpt_image.threads import in_thread

UPSTREAM = "gateway.internal", 4000
ONLY_127_0_0_2 = (ip_network("127.0.0.2"),)

PUBLIC = [
    "8.8.8.8",
    "192.0.1.1",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
NOT_PUBLIC = {
    "loopback": ["127.0.0.1", "127.9.9.9", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "192.168.1.1", "fd00::1", "fec0::1"],
    "of a provider's": ["100.64.0.1"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0"],
    "metadata": ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200"],
    "multicast": ["224.0.0.1", "239.1.2.3", "ff02::1", "ff0e::1"],
    "broadcast": ["255.255.255.255"],
    "reserved": ["240.0.0.1", "192.0.0.8", "198.18.0.1", "203.0.113.1", "100::1", "5f00::1"],
    "for documentation": ["192.0.2.1", "2001:db8::1", "3fff::1"],
    "IPv4, mapped": ["::ffff:127.0.0.1", "::ffff:a00:1", "::ffff:169.254.169.254"],
    "IPv4, compatible": ["::127.0.0.1", "::a9fe:a9fe"],
    "IPv4, translated": ["::ffff:0:127.0.0.1"],
    "IPv4, NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8"],
    "IPv4, 6to4": ["2002:7f00:1::", "2002:808:808::1"],
    "IPv4, Teredo": ["2001::7f00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
}


class Resolver:
    """Answers each question with the next answer, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str) -> list[Address]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [ip_address(text) for text in answer]


def let_through(guard: Guard, host: str, port: int = 443) -> list[str]:
    return [str(one) for one in asyncio.run(guard.addresses((host, port), UPSTREAM))]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert is_public(ip_address(address))
    assert let_through(Guard(()), address) == [str(ip_address(address))]


@pytest.mark.parametrize("address", [address for group in NOT_PUBLIC.values() for address in group])
def test_no_other_address_passes_whatever_it_is_dressed_as(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Unusable, match="not public"):
        let_through(Guard(()), address)
    with pytest.raises(Unusable, match="not public"):
        let_through(Guard((), Resolver([address])), "images.example")


def test_of_several_addresses_the_public_ones_are_used() -> None:
    resolver = Resolver(["10.0.0.1", "8.8.8.8", "::1"])
    assert let_through(Guard((), resolver), "images.example") == ["8.8.8.8"]


def test_the_upstreams_own_host_may_lie_anywhere_but_only_at_its_port() -> None:
    own = Guard((), Resolver(["10.0.0.1"]))
    host, port = UPSTREAM

    assert let_through(own, host, port) == ["10.0.0.1"]
    with pytest.raises(Unusable):
        let_through(own, host, port + 1)
    with pytest.raises(Unusable):
        let_through(own, "other.internal", port)


def test_an_allowed_network_is_allowed_in_every_dress() -> None:
    allowing = Guard((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))

    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert let_through(allowing, address)
    for address in ("10.2.0.1", "::ffff:10.2.0.1", "::1"):
        with pytest.raises(Unusable):
            let_through(allowing, address)


def test_behind_a_proxy_addresses_are_refused_and_names_are_the_proxys() -> None:
    Guard(()).check_literal(("images.example", 443), UPSTREAM)
    Guard(()).check_literal(("8.8.8.8", 443), UPSTREAM)
    with pytest.raises(Unusable):
        Guard(()).check_literal(("169.254.169.254", 80), UPSTREAM)


# --- a resolver that changes its answer, with servers on two addresses of this machine


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server on 127.0.0.2 that says "allowed" and one on 127.0.0.1 that says "secret"."""
    with ExitStack() as stack:
        port = 0
        for host in ("127.0.0.2", "127.0.0.1"):
            server = stack.enter_context(ThreadingHTTPServer((host, port), Named))
            port = server.server_port
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield port


class Named(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host, port = self.connection.getsockname()
        body = b"allowed" if host == "127.0.0.2" else b"secret"
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", f"http://images.example:{port}/picture")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def fetched(url: str, resolver: Resolver, file: Path) -> bytes:
    fetcher = Fetcher((), Guard(ONLY_127_0_0_2, resolver))
    asyncio.run(fetcher.fetch(url, file, Deadline.after(10), UPSTREAM))
    return file.read_bytes()


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    port: int, tmp_path: Path
) -> None:
    resolver = Resolver(["127.0.0.2"], ["127.0.0.1"])
    url = f"http://images.example:{port}/picture"

    assert fetched(url, resolver, tmp_path / "file") == b"allowed"
    assert resolver.asked == 1
    with pytest.raises(Unusable, match="not public"):
        fetched(url, resolver, tmp_path / "file")


def test_each_redirect_is_checked_anew(port: int, tmp_path: Path) -> None:
    url = f"http://images.example:{port}/moved"

    assert fetched(url, Resolver(["127.0.0.2"]), tmp_path / "file") == b"allowed"
    with pytest.raises(Unusable, match="not public"):
        fetched(url, Resolver(["127.0.0.2"], ["127.0.0.1"]), tmp_path / "file")


# --- the system's resolver


def test_the_system_is_asked_and_a_name_that_nobody_knows_is_said_to_have_no_address() -> None:
    assert IPv4Address("127.0.0.1") in asyncio.run(Lookups()("localhost"))
    for unknown in ("no-such-host.invalid", "a" * 64 + ".example"):
        with pytest.raises(HostNotFound):
            asyncio.run(Lookups()(unknown))


def test_a_name_server_that_hangs_holds_up_neither_a_cancel_nor_other_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    asked: list[str] = []

    def hanging(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        answered.wait(5)
        raise socket.gaierror

    async def cancel_many() -> float:
        lookups = Lookups()
        waiting = [asyncio.create_task(lookups(f"host-{n % 20}.example")) for n in range(40)]
        await asyncio.sleep(0.2)
        started = time.monotonic()
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await in_thread(int)
        ended = time.monotonic()
        answered.set()
        return ended - started

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    assert asyncio.run(cancel_many()) < 4
    assert len(set(asked)) == len(asked), "one host was asked for several times at once"


# --- the setting


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", ()),
        ("10.1.0.0/16", ("10.1.0.0/16",)),
        ("10.1.0.0/16,fd00::/8 , 192.168.1.4", ("10.1.0.0/16", "fd00::/8", "192.168.1.4/32")),
    ],
)
def test_networks_are_listed_with_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, networks: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OPENAI_FETCH_NETWORKS", text)
    assert Settings().openai_fetch_networks == tuple(ip_network(each) for each in networks)
