"""`make serve`: Cog's server on this machine until Ctrl-C, with the sandbox or a real upstream."""

import argparse
import shlex
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from dev.servers import HOST, PROJECT, ServerError, free_port, predictor_server
from dev.upstream import real_upstream, sandbox_upstream
from gpt_image.errors import GptImageError

USUAL_PORT = 5000  # where Cog's own container listens

READY = """\
Cog's server is ready at {url}. Try it from another terminal:

  curl -sS {url}/predictions -H 'Content-Type: application/json' \\
    -d '{{"input": {{"prompt": "a red bicycle"}}}}' | {save}

It saves picture.0.webp where you are, or says what went wrong. Ctrl-C stops the server."""


def main(argv: Sequence[str]) -> int:
    """Serve until stopped; 1 with a sentence when a server does not start or ends.

    Raises:
        KeyboardInterrupt: stopped.
    """
    arguments = _parser().parse_args(argv)
    try:
        with ExitStack() as stack:
            # Anybody's request may bring a key, so that none has to be set here.
            environment = (
                real_upstream({}, needs_payer=False)
                if arguments.real
                else stack.enter_context(sandbox_upstream())
            )
            server = stack.enter_context(predictor_server(PORT=str(_port()), **environment))
            save = shlex.quote(str(PROJECT / "scripts" / "save-pictures"))
            print(READY.format(url=server.url, save=save), flush=True)
            server.process.wait()
            raise server.error("ended by itself")
    except ServerError as error:
        print(f"{error.log}\n{error.reason}".strip(), file=sys.stderr)
    except GptImageError as error:
        print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dev serve", description=__doc__)
    parser.add_argument(
        "--real", action="store_true", help="use the exported OPENAI_* variables; costs money"
    )
    return parser


def _port() -> int:
    with socket.socket() as probe:
        # As coglet does it, so that the remains of closed connections do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            return free_port()
    return USUAL_PORT
