"""A connection that is cut while a job runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.api.clients.front import front_of
from tests.support.sandbox_client import Sandbox


@contextmanager
def cut_in_mid_job(api: str, sandbox: Sandbox) -> Iterator[str]:
    """Another address of the API; its connections are cut once, when the sandbox has a request."""
    with front_of(api) as front:
        enough = threading.Event()

        def cut_once_it_runs() -> None:
            while not enough.wait(0.05):
                if sandbox.requests:
                    front.cut()
                    return

        cutting = threading.Thread(target=cut_once_it_runs)
        cutting.start()
        try:
            yield f"http://127.0.0.1:{front.port}"
        finally:
            was_cut = not cutting.is_alive()
            enough.set()
            cutting.join()
    assert was_cut
