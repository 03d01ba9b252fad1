"""Fetches an image that a gateway answered with as a URL: it is paid for, so it is not given up
lightly, and the URL is a stranger's, so it gets nothing of ours."""

import time
from pathlib import Path

import requests
import tenacity

from gpt_image.threads import in_thread

# Larger than any image of the API: 8.3 million pixels of four bytes each, uncompressed.
SIZE_LIMIT = 64 << 20
_TIMEOUTS = (5.0, 30.0)  # seconds to connect and between two reads
_ATTEMPTS = 4
_CHUNK = 1 << 20


class NotFetched(Exception):
    """Says why, without the URL: it may hold a signature."""


async def fetch(url: str, file: Path, until: float) -> None:
    """Write what `url` serves to `file`, before `until` on time.monotonic()'s clock.

    Repeats what fails, since fetching is free.

    Raises:
        NotFetched: no attempt got it.
    """
    if not url.startswith(("http://", "https://")):
        raise NotFetched("came as an address that is neither http nor https")
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type((NotFetched, requests.RequestException)),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(_ATTEMPTS),
            tenacity.stop_before_delay(until - time.monotonic()),
        ),
        wait=tenacity.wait_exponential(0.5, max=8),
        reraise=True,
    )
    try:
        await attempts(in_thread, _fetch_once, url, file, until)
    except requests.RequestException as error:
        raise NotFetched(f"could not be fetched ({type(error).__name__})") from None


def _fetch_once(url: str, file: Path, until: float) -> None:
    with requests.Session() as session:
        session.auth = _no_login
        with session.get(url, timeout=_TIMEOUTS, stream=True) as answer, file.open("wb") as copy:
            if not answer.ok:
                raise NotFetched(f"could not be fetched (HTTP {answer.status_code})")
            for chunk in answer.iter_content(_CHUNK):
                copy.write(chunk)
                if copy.tell() > SIZE_LIMIT:
                    raise NotFetched(f"is larger than {SIZE_LIMIT >> 20} MB")
                if time.monotonic() > until:
                    raise NotFetched("was not fetched before the deadline")


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without an auth of its own a session sends the machine's .netrc logins.
    return request
