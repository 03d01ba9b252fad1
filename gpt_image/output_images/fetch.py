"""Fetches an image that a gateway answered with as a URL: it is paid for, so it is not given up
lightly, and the URL is a stranger's, so it gets nothing of ours."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import tenacity
import urllib3.exceptions

from gpt_image.deadline import Deadline

# Larger than any image of the API: 8.3 million pixels of four bytes each, uncompressed.
SIZE_LIMIT = 64 << 20
_CONNECT_TIMEOUT = 5.0  # seconds
_READ_TIMEOUT = 30.0  # seconds between two reads
_ATTEMPTS = 4
_CHUNK = 1 << 20

# Threads apart, so that file servers that hang do not hold up the other work of the predictor.
_THREADS = ThreadPoolExecutor(32, "fetch")

_TROUBLES = (requests.RequestException, urllib3.exceptions.HTTPError)


class NotFetched(Exception):
    """Says why, without the URL: it may hold a signature."""


async def fetch(url: str, file: Path, deadline: Deadline) -> None:
    """Write what `url` serves to `file`, before the deadline.

    Repeats what fails, since fetching is free.

    Raises:
        NotFetched: no attempt got it.
    """
    if not url.startswith(("http://", "https://")):
        raise NotFetched("came as an address that is neither http nor https")
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(_ATTEMPTS),
            tenacity.stop_before_delay(deadline.seconds_left),
        ),
        wait=tenacity.wait_exponential(0.5, max=8),
        reraise=True,
    )
    try:
        await attempts(_fetch_in_thread, url, file, deadline)
    except requests.HTTPError as error:
        raise NotFetched(f"could not be fetched (HTTP {error.response.status_code})") from None
    except _TROUBLES as error:
        raise NotFetched(f"could not be fetched ({type(error).__name__})") from None


def _may_pass(error: BaseException) -> bool:
    # The libraries' ValueErrors are about the address, such as a redirect to file://.
    return isinstance(error, _TROUBLES) and not isinstance(error, ValueError)


async def _fetch_in_thread(url: str, file: Path, deadline: Deadline) -> None:
    unwanted = threading.Event()
    loop = asyncio.get_running_loop()
    work = loop.run_in_executor(_THREADS, _fetch_once, url, file, deadline, unwanted)
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        unwanted.set()
        await asyncio.wait([work])  # the file's directory is about to be removed
        work.cancelled() or work.exception()
        raise


def _fetch_once(url: str, file: Path, deadline: Deadline, unwanted: threading.Event) -> None:
    left = deadline.seconds_left
    if not left:
        raise _too_late()
    timeouts = min(left, _CONNECT_TIMEOUT), min(left, _READ_TIMEOUT)
    with (
        _Anonymous() as session,
        session.get(url, timeout=timeouts, stream=True) as answer,
        file.open("wb") as copy,
    ):
        answer.raise_for_status()
        # read1 takes what is there; iter_content would wait for a whole chunk from a slow server.
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            copy.write(chunk)
            if copy.tell() > SIZE_LIMIT:
                raise NotFetched(f"is larger than {SIZE_LIMIT >> 20} MB")
            if unwanted.is_set() or deadline.is_over:
                raise _too_late()


def _too_late() -> NotFetched:
    return NotFetched("was not fetched before the deadline")


class _Anonymous(requests.Session):
    """Sends no login; a plain session looks into the machine's .netrc, at each redirect again."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = lambda request: request

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        pass
