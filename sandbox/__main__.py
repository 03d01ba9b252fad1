"""``python -m sandbox``: serve until SIGTERM or SIGINT."""

import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from sandbox.app import create_app
from sandbox.connection import Connection
from sandbox.settings import Settings


class _Server(uvicorn.Server):
    """Says on stdout when connections are accepted, and where."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"Sandbox ready at http://{host}:{port}/v1\n")
            sys.stdout.flush()


def _already_stopping(_signal: int, _frame: FrameType | None) -> None:
    """Take the signal that uvicorn raises once more after its orderly end."""


def main() -> None:
    """Run the sandbox with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    settings = Settings()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_stopping)
    with socket.create_server((settings.host, settings.port), backlog=2048) as listener:
        config = uvicorn.Config(
            create_app(settings),
            http=Connection,
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,
        )
        _Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
