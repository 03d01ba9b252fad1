"""`python -m gpt_image.container.health [--end PID]`: whether the server can take predictions.

With --end the server is ended where only a restart helps: a wrong setting (SETUP_FAILED) or a
crashed worker leaves one that answers every prediction with an error, for ever.

Cog answers /health-check with 200 in every state, so this reads the state. BUSY is well: it answers
409, which callers repeat. So is a server whose operator's key was refused (CredentialError): it
serves callers who bring their own, and a restart mends nothing.
"""

import argparse
import http.client
import json
import os
import signal
import sys
from typing import Any

from gpt_image.container.in_flight import anything_runs

WITHIN = 5.0  # seconds
WELL = ("READY", "BUSY")
COMING = "STARTING"
FROZEN = "restart this container"


def ask(method: str, path: str) -> bytes:
    """What the server of this container answers.

    Raises:
        OSError: nothing.
    """
    port = int(os.environ.get("PORT", "5000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    try:
        connection.request(method, path)
        return connection.getresponse().read()
    finally:
        connection.close()


def main() -> int:
    """0 where predictions are taken; else 1, and the state is printed."""
    parser = argparse.ArgumentParser(prog="python -m gpt_image.container.health")
    parser.add_argument("--end", type=int, metavar="PID", help="of Cog's server; 1 in a container")
    arguments = parser.parse_args()
    try:
        state: dict[str, Any] = json.loads(ask("GET", "/health-check"))
    except OSError as error:
        print(f"Cog does not answer: {error}", file=sys.stderr)
        return 1
    refused = "CredentialError" in state.get("user_healthcheck_error", "")
    if state["status"] in WELL or refused:
        return 0
    print(json.dumps(state), file=sys.stderr)
    # A frozen worker reads no more input images; what is paid for still ends in it.
    must_wait = FROZEN in state.get("user_healthcheck_error", "") and anything_runs()
    if arguments.end and state["status"] != COMING and not must_wait:
        # Not SIGTERM, which --await-explicit-shutdown makes Cog ignore.
        os.kill(arguments.end, signal.SIGINT)
    return 1


if __name__ == "__main__":
    sys.exit(main())
