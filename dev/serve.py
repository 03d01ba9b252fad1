"""`make serve`: Cog's server and the sandbox on this machine until Ctrl-C."""

import signal
import socket
import sys

from dev.servers import HOST, ServerError, free_port, predictor_server
from dev.upstream import sandbox_upstream

USUAL_PORT = 5000  # where Cog's own container listens

READY = """\
Cog's server is ready at {url}. Try it from another terminal:

  curl -s {url}/predictions -H 'Content-Type: application/json' \\
    -d '{{"input": {{"prompt": "a red bicycle"}}}}' | cut -c1-300

  curl -s {url}/predictions -H 'Content-Type: application/json' \\
    -d '{{"input": {{"prompt": "a red bicycle"}}}}' | python3 -c 'import base64, json, sys; \
open("picture.webp", "wb").write(base64.b64decode(json.load(sys.stdin)["output"][0].split(",")[1]))'

Ctrl-C stops it."""


def main() -> int:
    """Serve until stopped; 0 then, 1 with a sentence when a server does not start or ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        with (
            sandbox_upstream() as environment,
            predictor_server(PORT=str(_port()), **environment) as server,
        ):
            print(READY.format(url=server.url), flush=True)
            server.process.wait()
            raise server.error("ended by itself")
    except ServerError as error:
        print(error.log, error.reason, sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.")
        return 0


def _port() -> int:
    with socket.socket() as probe:
        # As coglet does it, so that the remains of closed connections do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            return free_port()
    return USUAL_PORT


if __name__ == "__main__":
    sys.exit(main())
