"""The stand-in for the OpenAI Images API, on a free port."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.servers.process import HOST, Server, clean_environment


@contextmanager
def sandbox_server(python: Path | str = sys.executable, **environment: str) -> Iterator[Server]:
    """The stand-in for the OpenAI Images API on a free port; `environment` holds its SANDBOX_*."""
    own = {"SANDBOX_HOST": HOST, "SANDBOX_PORT": "0", "PYTHONUNBUFFERED": "1"}
    variables = clean_environment(python) | own | environment
    server = Server("The sandbox", [python, "-m", "sandbox"], variables)
    try:
        server.wait_until(lambda: _found_sandbox_address(server))
        yield server
    finally:
        server.stop()


def _found_sandbox_address(server: Server) -> bool:
    ready = re.search(r"^Sandbox ready at (http://\S+)(/v1)$", server.log, re.MULTILINE)
    if ready:
        server.root, server.url = ready[1], ready[1] + ready[2]
    return ready is not None
