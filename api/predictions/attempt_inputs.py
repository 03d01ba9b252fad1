"""What Cog is given instead of callers' addresses: files on this host, at the worker's port.

Cog would fetch a stranger's URL without any check, and a data: URI costs it more than all else.
"""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from api.fetching import Bounds, Fetcher
from api.predictions.prediction import Prediction
from api.predictions.references import FileReference, Reference, UrlReference, references, replaced
from api.sealing import Keyring

_BOUNDS = Bounds(bytes=100_000_000, seconds=60.0)


class AttemptInputs:
    """Prepares the input of each attempt; fetched files lie in `scratch` until it has ended."""

    def __init__(self, keyring: Keyring, fetcher: Fetcher, scratch: Path, worker_url: str) -> None:
        self._keyring = keyring
        self._fetcher = fetcher
        self._scratch = scratch
        self._worker_url = worker_url

    async def prepare(self, taken: Prediction) -> dict[str, Any]:
        """The input as Cog gets it: secrets opened, every file at an address of the worker.

        Raises:
            FetchFailed: a URL could not be fetched; the sentence is for the caller.
            NotOpened: the key of the secrets is gone.
        """
        root = f"{self._worker_url}/inputs/{taken.cog_id}"
        fetched = await self._fetch(taken)

        def address(found: Reference) -> str:
            if isinstance(found, FileReference):
                return f"{root}/stored/{found.id}"
            return f"{root}/fetched/{fetched[found]}"

        prepared: dict[str, Any] = replaced(taken.input, address)
        if taken.secrets:
            prepared |= json.loads(self._keyring.open(taken.secrets, taken.id))
        return prepared

    def fetched_file(self, cog_id: str, name: str) -> Path:
        """Where a fetched input lies."""
        return self._scratch / cog_id / name

    async def forget(self, taken: Prediction) -> None:
        """Remove what was fetched for the attempt."""
        if _to_fetch(taken):
            directory = self._scratch / str(taken.cog_id)
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def _fetch(self, taken: Prediction) -> dict[Reference, str]:
        wanted = _to_fetch(taken)
        if not wanted:
            return {}
        directory = self._scratch / str(taken.cog_id)
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        names: dict[Reference, str] = {found: str(n) for n, found in enumerate(wanted)}
        outcomes = await asyncio.gather(
            *(
                self._fetcher.download(
                    found.url, directory / names[found], _BOUNDS, entry=f"The input {place}"
                )
                for found, place in wanted.items()
            ),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return names


def _to_fetch(taken: Prediction) -> dict[UrlReference, str]:
    return {
        found: place for place, found in references(taken.input) if isinstance(found, UrlReference)
    }
