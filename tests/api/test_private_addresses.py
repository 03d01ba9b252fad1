"""No URL, name, redirect or change of mind of a name server leads to a private address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.fetching import FetchFailed, FetchRefused
from api.lookup import Lookup, system_lookup
from tests.api.fetches import PICTURE, download, lookup_of, post
from tests.api.raw_server import PUBLIC, RawServer, answer, raw_server

PRIVATE = "127.0.0.1"


@pytest.fixture
def private() -> Iterator[RawServer]:
    """What nobody may reach; a test that does fails."""
    with raw_server(lambda _: answer(b"secret"), PRIVATE) as server:
        yield server
    assert not server.requests


def by_the_system(lookups: list[str]) -> Lookup:
    """The real resolver, noting what it is asked."""

    async def lookup(host: str, port: int) -> list[str]:
        lookups.append(host)
        async with system_lookup() as ask:
            return list(await ask(host, port))

    return lookup


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="plain"),
        pytest.param("localhost", id="by name"),
        pytest.param("LOCALHOST", id="by name in capitals"),
        pytest.param("2130706433", id="decimal"),
        pytest.param("0x7f000001", id="hexadecimal"),
        pytest.param("0x7f.0.0.1", id="hexadecimal in part"),
        pytest.param("0177.0.0.1", id="octal"),
        pytest.param("017700000001", id="octal in one"),
        pytest.param("127.1", id="short"),
        pytest.param("0", id="zero"),
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("\uff11\uff12\uff17.0.0.1", id="full-width digits"),
        pytest.param("127\u30020\u30020\u30021", id="ideographic dots"),
        pytest.param("\u24dbocalhost", id="letters in circles"),
        pytest.param("[::1]", id="IPv6 loopback"),
        pytest.param("[0:0:0:0:0:0:0:1]", id="IPv6 loopback in full"),
        pytest.param("[::]", id="IPv6 unspecified"),
        pytest.param("[::ffff:127.0.0.1]", id="mapped"),
        pytest.param("[::ffff:7f00:1]", id="mapped in hexadecimal"),
        pytest.param("[::127.0.0.1]", id="compatible"),
        pytest.param("[64:ff9b::7f00:1]", id="NAT64"),
        pytest.param("[2002:7f00:1::]", id="6to4"),
        pytest.param("[fe80::1%25lo]", id="with a zone"),
        pytest.param("files.example@127.0.0.1", id="behind a login"),
    ],
)
def test_no_way_of_writing_the_loopback_address_reaches_it(
    host: str, private: RawServer, tmp_path: Path
) -> None:
    url = f"http://{host}:{private.port}/"
    with pytest.raises(FetchRefused):
        download(url, tmp_path / "file", lookup=by_the_system([]))
    with pytest.raises(FetchRefused):
        post(url, lookup=by_the_system([]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["localhost.", "%31%32%37.0.0.1", "127.0.0.1\\@files.example"])
def test_what_some_resolvers_take_for_the_loopback_address_does_not_reach_it(
    host: str, private: RawServer, tmp_path: Path
) -> None:
    with pytest.raises(FetchFailed):
        download(f"http://{host}:{private.port}/", tmp_path / "file", lookup=by_the_system([]))


def test_a_name_with_one_private_address_among_its_answers_is_refused(
    private: RawServer, tmp_path: Path
) -> None:
    with raw_server(lambda _: answer(PICTURE)) as server:
        for answers in ([PUBLIC, PRIVATE], [PRIVATE, PUBLIC], ["8.8.8.8", "::1"]):
            with pytest.raises(FetchRefused, match="not in the public internet"):
                download(
                    f"http://files.example:{server.port}/",
                    tmp_path / "file",
                    lookup=lookup_of(answers),
                )
    assert not server.requests


def test_a_name_server_that_changes_its_answer_is_asked_once(tmp_path: Path) -> None:
    lookups = []

    async def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return [PUBLIC] if len(lookups) == 1 else [PRIVATE]

    with raw_server(lambda _: answer(PICTURE)) as server:
        download(f"http://files.example:{server.port}/", tmp_path / "file", lookup=rebinding)
    assert (tmp_path / "file").read_bytes() == PICTURE
    assert lookups == ["files.example"]


def test_a_redirect_to_the_same_name_does_not_trust_the_first_answer(
    private: RawServer, tmp_path: Path
) -> None:
    def to_the_private_port(_: bytes) -> list[bytes]:
        here = f"http://files.example:{private.port}/"
        return answer(status="302 Found", Location=here, Connection="close")

    with raw_server(to_the_private_port) as server, pytest.raises(FetchRefused):
        download(
            f"http://files.example:{server.port}/",
            tmp_path / "file",
            lookup=lookup_of([PUBLIC], [PRIVATE]),
        )


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://localhost:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_no_redirect_leads_to_a_private_address(
    target: str, private: RawServer, tmp_path: Path
) -> None:
    lookups: list[str] = []
    away = target.format(port=private.port)

    async def lookup(host: str, port: int) -> list[str]:
        if host == "files.example":
            return [PUBLIC]
        return list(await by_the_system(lookups)(host, port))

    with (
        raw_server(lambda _: answer(status="302 Found", Location=away)) as server,
        pytest.raises(FetchRefused),
    ):
        download(f"http://files.example:{server.port}/", tmp_path / "file", lookup=lookup)
    assert len(server.requests) == 1
