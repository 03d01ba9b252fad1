"""`python -m tests.api.killed_api POINT N`: the API, ended by SIGKILL the Nth time it gets there.

The points are every step of a prediction's way at which a crash could lose or repeat something.
Where KILL_PID is set, that process dies instead; where KILL_LEDGER is, too, the sandbox's ledger
at that address is kept in the file KILL_LEDGER_FILE before.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from api.__main__ import main
from api.dialects.runware.finish import Finish
from api.files.files import Files
from api.predictions.acceptance import Acceptance
from api.predictions.answers import Answers
from api.predictions.attempt_inputs import AttemptInputs
from api.predictions.cog import Cog
from api.predictions.endings import Endings
from api.predictions.predictions import Predictions
from api.predictions.store import Store
from api.uploading import Uploading
from api.webhooks import Webhooks

Method = Callable[..., Any]

Points = dict[str, tuple[type, str, str]]
"""By their names: the method, and whether it is before or after it."""

ACCEPTING: Points = {
    "body read, nothing stored": (Acceptance, "accept", "before"),
    "stored, not queued": (Acceptance, "accept", "after"),
    "queued, not answered": (Predictions, "accept", "after"),
    "answered, not noted": (Answers, "end", "after"),
    "before it is taken": (Store, "take", "before"),
}
RUNNING: Points = {
    "taken, inputs not fetched": (Store, "take", "after"),
    "inputs ready, not noted as sent": (AttemptInputs, "prepare", "after"),
    "noted as sent, Cog not asked": (Store, "note_sent", "after"),
    "Cog asked, answer not read": (Cog, "start", "after"),
    "start heard, not stored": (Store, "start", "before"),
    "start stored": (Store, "start", "after"),
    "output on its way, not stored": (Files, "save", "before"),
    "output stored, Cog not told": (Files, "save", "after"),
}
ENDING: Points = {
    "last word heard, not stored": (Endings, "end", "before"),
    "about to be ended": (Store, "end_sent", "before"),
    "ended, its webhook not sent": (Store, "end_sent", "after"),
    "webhook about to be sent": (Webhooks, "_post", "before"),
    "webhook sent, not noted": (Webhooks, "_post", "after"),
    "cancel asked, not noted": (Store, "ask_to_cancel", "before"),
    "cancel noted, Cog not asked": (Store, "ask_to_cancel", "after"),
    "Cog asked to cancel": (Cog, "cancel", "after"),
    "queued one canceled": (Store, "end_waiting", "after"),
    "not billed, not queued again": (Store, "queue_again", "before"),
    "not billed, queued again": (Store, "queue_again", "after"),
}
RUNWARES: Points = {
    "group stored, not queued": (Acceptance, "accept_group", "after"),
    "picture scaled, not named in the end": (Finish, "_scaled", "after"),
    "output put, not noted": (Uploading, "put", "after"),
}


def kill() -> None:
    """End whom it is about."""
    if url := os.environ.get("KILL_LEDGER"):
        with urlopen(url) as ledger:  # noqa: S310 - the sandbox's address
            Path(os.environ["KILL_LEDGER_FILE"]).write_bytes(ledger.read())
    os.kill(int(os.environ.get("KILL_PID", os.getpid())), signal.SIGKILL)


def kill_at(point: str, time: int) -> None:
    """Let somebody die there, before anything else is done."""
    owner, name, when = (ACCEPTING | RUNNING | ENDING | RUNWARES)[point]
    method: Method = getattr(owner, name)
    times_left = [time]

    def reached() -> None:
        times_left[0] -= 1
        if times_left[0] == 0:
            kill()

    if name == "end" and owner is Answers:

        @functools.wraps(method)
        def plain(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            reached()
            return result

        setattr(owner, name, plain)
        return

    @functools.wraps(method)
    async def watched(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            reached()
        result = await method(*args, **kwargs)
        if when == "after":
            reached()
        return result

    setattr(owner, name, watched)


if __name__ == "__main__":
    point, time = sys.argv[1], int(sys.argv[2])
    sys.argv = sys.argv[:1]
    kill_at(point, time)
    sys.exit(main())
