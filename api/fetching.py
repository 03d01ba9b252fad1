"""The only way to an address that a caller gave: checked, bounded, never into a private network.

A name is looked up once, every answer is checked, and the connection is made to what was checked.
This holds for each new connection, so redirects are checked like first addresses. aiohttp has
public places for both checks (resolver, socket factory) and reads proxies and .netrc from the
environment only when told to.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

import aiohttp
from yarl import URL

from api.lookup import AddressRefused, CheckedResolver, Lookup, check, system_lookup
from api.public_addresses import Network

_REDIRECTS = 5
_REDIRECT_STATUSES = {301, 302, 303, 307, 308}
_READ_AT_ONCE = 256 << 10  # bytes, from the socket to the file
_LONGEST_URL = 8000  # characters; servers refuse longer ones


class FetchFailed(Exception):
    """One sentence for the caller, which begins with the entry's name and never holds its URL."""


class FetchRefused(FetchFailed):
    """Nobody was asked, because of where the address leads."""


@dataclass(frozen=True)
class Bounds:
    """What one download may cost."""

    bytes: int
    seconds: float
    """From the first lookup to the last byte, redirects included."""


class Fetcher:
    """Reaches what callers name; made by `open_fetcher`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def download(self, url: str, to: Path, bounds: Bounds, *, entry: str) -> int:
        """Write what `url` serves to a new file, and return its length in bytes.

        `entry` names the input in errors, as in "Input image 2".

        Raises:
            FetchRefused: the URL is no http(s) URL, or leads to an address that is not public.
            FetchFailed: not reached, not answered with 200, too large, too slow, or compressed.
        """
        first = parse(url, entry)
        async with (
            _failures_of(entry, bounds.seconds),
            self._get(first, entry) as answer,
        ):
            if answer.status != 200:
                raise FetchFailed(
                    f"{entry} could not be fetched: its server answered {answer.status}."
                )
            # A few bytes can unpack to gigabytes, and no server has to: we ask for it as it is.
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise FetchFailed(
                    f"{entry} came compressed, which was not asked for; serve the file as it is."
                )
            return await _write(answer, to, bounds.bytes, entry)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, entry: str
    ) -> int:
        """Send `body` and return the status; redirects are not followed, the answer not read.

        Raises:
            FetchRefused: the URL is no http(s) URL, or leads to an address that is not public.
            FetchFailed: not reached, or no answer within `seconds`.
        """
        return await self._send("POST", url, body, headers, seconds, entry)

    async def put(
        self,
        url: str,
        content: AsyncIterator[bytes],
        headers: Mapping[str, str],
        *,
        seconds: float,
        entry: str,
    ) -> int:
        """Send `content`, whose Content-Length is among the headers; the rest is as in `post`."""
        return await self._send("PUT", url, content, headers, seconds, entry)

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str],
        seconds: float,
        entry: str,
    ) -> int:
        checked = parse(url, entry)
        async with (
            _failures_of(entry, seconds),
            self._session.request(
                method, checked, data=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return answer.status

    @asynccontextmanager
    async def _get(self, url: URL, entry: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at the end of all redirects."""
        for _ in range(_REDIRECTS + 1):
            async with self._session.get(
                url, headers={"Accept-Encoding": "identity"}, allow_redirects=False
            ) as answer:
                location = answer.headers.get("Location")
                if answer.status not in _REDIRECT_STATUSES or location is None:
                    yield answer
                    return
            # A login that another server wrote into the address is not for us to send.
            url = parse(location, f"What {entry} redirects to", base=url).with_user(None)
        raise FetchFailed(f"{entry} could not be fetched: more than {_REDIRECTS} redirects.")


@asynccontextmanager
async def open_fetcher(
    allowed: Sequence[Network] = (),
    *,
    lookup: Lookup | None = None,
    tls: SSLContext | None = None,
) -> AsyncIterator[Fetcher]:
    """A fetcher with its pool of connections; one serves a whole process.

    `allowed` are the private networks that may be reached all the same. `tls` says which
    certificates are trusted, by default those that the system trusts.
    """

    def checked_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        # No resolver is asked about an address that the URL itself spells out.
        family, kind, protocol, _, address = info
        check(str(address[0]), allowed)
        return socket.socket(family, kind, protocol)

    async with system_lookup() as ask_the_system:
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(lookup or ask_the_system, allowed),
            use_dns_cache=False,
            socket_factory=checked_socket,
            ssl=tls or True,
            limit=0,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),
            read_bufsize=_READ_AT_ONCE,
            trust_env=False,
        ) as session:
            yield Fetcher(session)


def parse(url: str, entry: str, base: URL | None = None) -> URL:
    """What needs no network to know about a caller's address.

    Raises:
        FetchRefused: it is no http(s) URL of bearable length.
    """
    if len(url) > _LONGEST_URL:
        raise FetchRefused(f"{entry} is a URL of more than {_LONGEST_URL} characters.")
    # What is ASCII goes out as it was written: a signed URL can be broken by quoting it otherwise.
    as_written = re.fullmatch("[!-~]+", url) is not None
    try:
        parsed = URL(url, encoded=as_written)
        parsed = base.join(parsed) if base else parsed
        usable = parsed.scheme in {"http", "https"} and parsed.host and parsed.port
    except ValueError:
        usable = False
    if not usable:
        raise FetchRefused(f"{entry} is not a URL that begins with http:// or https://.")
    return parsed


async def _write(answer: aiohttp.ClientResponse, to: Path, most: int, entry: str) -> int:
    too_large = FetchFailed(f"{entry} is larger than {most} bytes.")
    if (answer.content_length or 0) > most:
        raise too_large
    length = 0
    file = await asyncio.to_thread(to.open, "xb")
    try:
        async for piece in answer.content.iter_chunked(_READ_AT_ONCE):
            length += len(piece)
            if length > most:
                raise too_large
            await asyncio.to_thread(file.write, piece)
    except BaseException:
        await asyncio.to_thread(to.unlink)
        raise
    finally:
        await asyncio.to_thread(file.close)
    return length


@asynccontextmanager
async def _failures_of(entry: str, seconds: float) -> AsyncIterator[None]:
    """Every failure as a sentence; the causes are left out, since they repeat the URL."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (AddressRefused, aiohttp.InvalidURL):
        raise FetchRefused(
            f"{entry} leads to an address that is not in the public internet;"
            " give one that anybody can reach."
        ) from None
    except TimeoutError:
        raise FetchFailed(f"{entry} took longer than {seconds:g} s.") from None
    except aiohttp.ClientConnectorDNSError:
        raise FetchFailed(f"{entry}: no address is known for its host name.") from None
    except aiohttp.ClientSSLError:
        raise FetchFailed(f"{entry}: its server has no valid certificate.") from None
    except aiohttp.ClientError:
        raise FetchFailed(f"{entry}: the connection to its server failed.") from None
