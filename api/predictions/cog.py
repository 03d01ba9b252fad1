"""The only client of a Cog server: what its answers mean, as measured on Cog 0.23.1."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

_SECONDS = 15.0  # for an answer; Cog answers at once, even when all of its slots are busy
_HEALTH_SECONDS = 10.0  # its own limit for a health check is 5 s
_SERVES = {"READY", "BUSY"}
_AT_CAPACITY, _NO_PREDICTOR = 409, 503
_REFUSED = {400, 413, 415, 422}


@dataclass(frozen=True)
class Health:
    """What a Cog server says of itself."""

    identity: str
    """When its setup began: another one is another server, which knows nothing of the first's."""
    serves: bool
    """Whether predictions can be sent."""
    status: str


class Outcome(Enum):
    """What became of the request to start a prediction."""

    STARTED = auto()
    NEVER_STARTED = auto()
    """Nobody listened, or no slot was free: it can be asked again."""
    REFUSED = auto()
    """The input is wrong for this model; nothing was started."""
    UNKNOWN = auto()
    """The connection ended without an answer: it may run."""


class Cog:
    """One Cog server, on this host."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def health(self) -> Health | None:
        """None where nobody listens.

        Raises:
            TimeoutError: somebody listens and does not answer.
        """
        try:
            async with self._session.get(
                f"{self._url}/health-check", timeout=aiohttp.ClientTimeout(_HEALTH_SECONDS)
            ) as answer:
                body = await answer.json()
        except aiohttp.ClientConnectorError:
            return None
        except (aiohttp.ClientError, ValueError) as error:
            raise TimeoutError from error
        status = str(body.get("status"))
        identity = str((body.get("setup") or {}).get("started_at"))
        return Health(identity, status in _SERVES, status)

    async def start(self, cog_id: str, body: Mapping[str, Any]) -> Outcome:
        """Ask for a prediction, once. Cog pays again for an id that is repeated after its end."""
        try:
            status = await self._put(cog_id, body)
        except aiohttp.ClientConnectorError:
            return Outcome.NEVER_STARTED
        except (aiohttp.ClientError, TimeoutError):
            return Outcome.UNKNOWN
        if status in {_AT_CAPACITY, _NO_PREDICTOR}:
            return Outcome.NEVER_STARTED
        if status in _REFUSED:
            return Outcome.REFUSED
        return Outcome.STARTED if status < 300 else Outcome.UNKNOWN

    async def is_running(self, cog_id: str) -> bool | None:
        """Whether Cog works on it; None where it does not say.

        Cog has no question for that. A repeated id joins the prediction that runs, before its
        input is looked at, and an input that is no object is refused: so this starts nothing.
        """
        try:
            status = await self._put(cog_id, {"input": []})
        except (aiohttp.ClientError, TimeoutError):
            return None
        if status in _REFUSED:
            return False
        return True if status < 300 else None

    async def cancel(self, cog_id: str) -> None:
        """Ask to cancel; to be repeated until it ends, since Cog loses some in the first ms."""
        try:
            async with self._session.post(f"{self._url}/predictions/{cog_id}/cancel"):
                pass
        except (aiohttp.ClientError, TimeoutError):
            log.info("A request to cancel did not reach Cog; it will be repeated.")

    async def shut_down(self) -> None:
        """Ask it to end; it heeds nothing else."""
        try:
            async with self._session.post(f"{self._url}/shutdown"):
                pass
        except (aiohttp.ClientError, TimeoutError):
            log.warning("The Cog server did not answer to its shutdown.")

    async def describe(self) -> tuple[dict[str, Any], str]:
        """The model's OpenAPI document, and Cog's version.

        Raises:
            aiohttp.ClientError: it was not answered.
        """
        async with self._session.get(f"{self._url}/openapi.json") as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
        async with self._session.get(f"{self._url}/") as answer:
            index = await answer.json()
        return document, str(index.get("cog_version", "unknown"))

    async def _put(self, cog_id: str, body: Mapping[str, Any]) -> int:
        # The answer's body is left alone: it can hold the input, secrets included.
        async with self._session.put(
            f"{self._url}/predictions/{cog_id}",
            json=body,
            headers={"Prefer": "respond-async"},
        ) as answer:
            return answer.status


@asynccontextmanager
async def open_cog(url: str) -> AsyncIterator[Cog]:
    """A client for the Cog server at `url`."""
    # A new connection each time: aiohttp sends a PUT again when a kept one has ended, and Cog
    # would pay for it again.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Cog(session, url)


class Watch:
    """Keeps an eye on a Cog server: which one it is, and whether it serves.

    `identity` is None until it serves; `gone_since` is when its port was found closed, on the
    event loop's clock.
    """

    def __init__(self, cog: Cog, every: float = 1.0) -> None:
        self._cog = cog
        self._every = every
        self._serves = asyncio.Event()
        self.identity: str | None = None
        self.gone_since: float | None = None

    @property
    def serves(self) -> bool:
        """Whether predictions can be sent."""
        return self._serves.is_set()

    async def serving(self) -> str:
        """Wait until it serves; its identity."""
        while True:
            await self._serves.wait()
            if self.identity:
                return self.identity

    def is_another_than(self, identity: str | None) -> bool:
        """Whether another server runs now than the one of that identity."""
        return self.identity is not None and self.identity != identity

    def is_gone_for(self, seconds: float) -> bool:
        """Whether nobody has listened on its port for so long."""
        loop = asyncio.get_running_loop()
        return self.gone_since is not None and loop.time() - self.gone_since >= seconds

    async def keep_watching(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every)

    async def look(self) -> None:
        """Look once."""
        try:
            health = await self._cog.health()
        except TimeoutError:
            self._serves.clear()
            return
        if health is None:
            self._serves.clear()
            self.gone_since = self.gone_since or asyncio.get_running_loop().time()
            return
        self.gone_since = None
        if health.serves:
            self.identity = health.identity
            self._serves.set()
            return
        if self._serves.is_set():
            log.warning("The Cog server does not serve: %s.", health.status)
        self._serves.clear()
