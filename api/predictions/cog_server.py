"""A Cog server that the API has started itself: started again when it is gone, sick or frozen.

It is in a session of its own and heeds no signal, so that it outlives the API's crash with all that
runs on it; the next life of the API finds it at its address.
"""

import asyncio
import logging
import os
import shlex
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from api.cog_settings import CogSettings
from api.predictions.cog import Cog, Watch
from api.settings import PREFIX

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0  # seconds
_SICK_FOR = 15.0  # seconds; a server that starts needs some, and a busy one may miss a look


class CogServer:
    """Keeps a Cog server up.

    Args:
        is_idle: whether nothing runs there that could still end by itself.
    """

    def __init__(
        self,
        settings: CogSettings,
        worker_url: str,
        cog: Cog,
        watch: Watch,
        is_idle: Callable[[], Awaitable[bool]],
    ) -> None:
        self._command = [
            *shlex.split(settings.command or ""),
            *("--upload-url", f"{worker_url}/outputs"),
            *("--await-explicit-shutdown", "true"),
        ]
        self._environment = _environment(settings)
        self._cog = cog
        self._watch = watch
        self._is_idle = is_idle
        self._process: subprocess.Popen[bytes] | None = None
        self._sick_since: float | None = None

    async def keep_up(self) -> None:
        """Start it where nobody listens, and again when it must be, until cancelled."""
        while True:
            try:
                await self._look()
            except Exception:
                log.exception("Could not look after the Cog server; will try again.")
            await asyncio.sleep(_LOOK_EVERY)

    async def stop(self) -> None:
        """Let it end if nothing runs there; else it stays, and the next life finds it."""
        if await self._is_idle():
            await self._cog.shut_down()
        else:
            log.info("The Cog server stays, since predictions run there.")

    async def _look(self) -> None:
        if self._watch.serves:
            self._sick_since = None
            return
        now = asyncio.get_running_loop().time()
        self._sick_since = self._sick_since or now
        has_ended = self._process is None or self._process.poll() is not None
        if self._watch.gone_since is not None and has_ended:
            self._start()
        elif now - self._sick_since > _SICK_FOR and await self._is_idle():
            await self._end()

    def _start(self) -> None:
        log.info("Starting the Cog server.")
        self._process = subprocess.Popen(  # noqa: S603 - the operator's own command
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._sick_since = None

    async def _end(self) -> None:
        log.warning("The Cog server does not recover; it is ended and started again.")
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)
        else:
            await self._cog.shut_down()
        self._sick_since = None


def _environment(settings: CogSettings) -> Mapping[str, str]:
    # What is the API's alone does not go there: its token, its keys.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own = {
        "PORT": str(urlsplit(settings.url).port or 80),
        "COG_MAX_CONCURRENCY": str(settings.slots),
    }
    if settings.output_directory:
        own["OUTPUT_DIRECTORY"] = str(settings.output_directory)
    return kept | own
