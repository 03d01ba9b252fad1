"""`python -m gpt_image.container.health [--live] [--end PID]`: how Cog's server is.

Cog answers /health-check with 200 in every state, so this reads the state and exits with 1 unless
predictions are taken. BUSY is well: it answers 409, which callers repeat. So is a server whose
operator's key was refused: it serves callers who bring their own.

With --live it exits with 1 only where a restart helps: a wrong setting (SETUP_FAILED) and a crashed
or frozen worker leave a server that fails for ever, a full disk and a refused key do not. With
--end such a server is ended.
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
# How the texts of our own health check begin or what they say (gpt_image/errors.py).
KEY_REFUSED = "CredentialError"
NO_ROOM = "MachineFault"
FROZEN = "WorkerFrozen"


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
    """0 where all is well; else 1, and the state is printed."""
    parser = argparse.ArgumentParser(prog="python -m gpt_image.container.health")
    parser.add_argument("--live", action="store_true", help="ask only whether a restart would help")
    parser.add_argument("--end", type=int, metavar="PID", help="of Cog's server; 1 in a container")
    arguments = parser.parse_args()
    try:
        state: dict[str, Any] = json.loads(ask("GET", "/health-check"))
    except OSError as error:
        print(f"Cog does not answer: {error}", file=sys.stderr)
        return 1
    said = str(state.get("user_healthcheck_error", ""))
    lost = _restart_helps(state["status"], said)
    if arguments.end and lost:
        # Not SIGTERM, which --await-explicit-shutdown makes Cog ignore.
        os.kill(arguments.end, signal.SIGINT)
    takes_predictions = state["status"] in WELL or KEY_REFUSED in said
    if (arguments.live and not lost) or takes_predictions:
        return 0
    print(json.dumps(state), file=sys.stderr)
    return 1


def _restart_helps(status: str, said: str) -> bool:
    if status in (*WELL, COMING) or KEY_REFUSED in said or NO_ROOM in said:
        return False
    # A frozen worker reads no more input images, but what is paid for still ends in it.
    return not (FROZEN in said and anything_runs())


if __name__ == "__main__":
    sys.exit(main())
