"""``python -m sandbox``: serve until SIGTERM or SIGINT."""

import logging
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette

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


def _configured() -> tuple[Settings, Starlette]:
    """Return settings and application; a wrong value ends the process with a sentence."""
    try:
        settings = Settings()
        return settings, create_app(settings)
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        sys.exit(f"SANDBOX_{str(wrong['loc'][0]).upper()} is wrong: {wrong['msg']}.")
    except ValueError as error:
        sys.exit(f"{error}.")


def _listener(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        sys.exit(
            f"Cannot listen on {settings.host}:{settings.port} ({os.strerror(error.errno or 0)}): "
            "set SANDBOX_PORT to another port, or to 0 for a free one."
        )


def main() -> None:
    """Run the sandbox with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    settings, app = _configured()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_stopping)
    with _listener(settings) as listener:
        config = uvicorn.Config(
            app,
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
