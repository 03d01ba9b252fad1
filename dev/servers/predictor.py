"""The predictor behind Cog's own HTTP server, without Docker."""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dev.servers.process import (
    HOST,
    PROJECT,
    Server,
    ServerError,
    clean_environment,
    free_port,
    get,
)

PORT_ATTEMPTS = 5
PORT_TAKEN = "Address already in use"  # coglet's words
EXACT, EXTENDED = "exact", "extended"  # predict.py, predict_extended.py
CONTRACTS = {EXACT: "openapi.json", EXTENDED: "openapi.extended.json"}
# Compiled into coglet 0.23.1, whatever TMPDIR says: each prediction makes directories in it.
COGS_FOLDER = Path("/tmp/coglet/predictions")  # noqa: S108


@contextmanager
def predictor_server(
    *,
    arguments: Sequence[str] = (),
    python: Path | str = sys.executable,
    checkout: Path | str = PROJECT,
    contract: str = EXACT,
    **environment: str,
) -> Iterator[Server]:
    """The predictor behind Cog's own HTTP server, with the committed schema, ready for requests.

    `arguments` go to `cog.server.http`; `environment` is added to the caller's, from which every
    OPENAI_* and proxy variable has been taken. Without a PORT in it a free one is picked.
    `checkout` is where another version of this project lies; `contract` is EXACT
    or EXTENDED.
    """
    checkout = Path(checkout)
    if contract == EXTENDED:
        checkout = _beside(checkout)
        environment = {"COG_PREDICT_TYPE_STUB": "predict_extended.py:Predictor"} | environment
    else:
        install_schema(checkout)
    share_cogs_folder()
    server = _start_predictor(arguments, python, checkout, environment)
    try:
        yield server
    finally:
        server.stop()
        _remove_cogs_directories(server.log)


def _beside(checkout: Path) -> Path:
    """A folder in which coglet finds the extended contract: it looks in its own folder alone."""
    folder = checkout / ".cache" / "extended"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("predict.py", "predict_extended.py", "gpt_image"):
        with suppress(FileExistsError):
            (folder / name).symlink_to(checkout / name)
    install_schema(folder, checkout / CONTRACTS[EXTENDED])
    return folder


def install_schema(folder: Path = PROJECT, committed: Path | None = None) -> None:
    """Copy the contract to where coglet looks for it; without that file it validates nothing.

    Args:
        folder: where the server will run.
        committed: by default the exact contract there.
    """
    committed = committed or folder / CONTRACTS[EXACT]
    installed = folder / ".cog" / "openapi_schema.json"
    if not committed.is_file():
        raise ServerError(f"{committed.name} is missing; `make openapi` writes it.")
    installed.parent.mkdir(exist_ok=True)
    # Several servers may start at once, and coglet must never read half a file.
    with tempfile.NamedTemporaryFile(dir=installed.parent, delete=False) as copy:
        copy.write(committed.read_bytes())
    Path(copy.name).chmod(0o644)
    shutil.move(copy.name, installed)


def share_cogs_folder() -> None:
    """Let every user of this machine predict: Cog's folder would belong to the first of them.

    Raises:
        ServerError: another user's Cog has made it, and so no prediction of ours could run.
    """
    try:
        COGS_FOLDER.mkdir(parents=True, exist_ok=True)
        for folder in (COGS_FOLDER.parent, COGS_FOLDER):
            if folder.stat().st_uid == os.getuid():
                folder.chmod(0o1777)  # as /tmp itself: what is in it belongs to who made it
    except OSError:
        pass
    folder = COGS_FOLDER if COGS_FOLDER.exists() else COGS_FOLDER.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ServerError(
            f"{folder} belongs to {folder.owner()}, and Cog writes to no other place; "
            f"have them (or root) run: chmod 1777 {folder}"
        )


def _remove_cogs_directories(log: str) -> None:
    """Cog leaves three empty directories a prediction, for ever; the server's log names them."""
    for prediction in set(re.findall(r'"Starting prediction","prediction_id":"([\w-]+)"', log)):
        folder = COGS_FOLDER / prediction
        for each in (folder / "inputs", folder / "outputs", folder):
            with suppress(OSError):
                each.rmdir()


def _start_predictor(
    arguments: Sequence[str], python: Path | str, checkout: Path, environment: dict[str, str]
) -> Server:
    command = [python, "-m", "cog.server.http", "--host", HOST, *arguments]
    own = {"COG_PREDICT_TYPE_STUB": "predict.py:Predictor", "COG_MAX_CONCURRENCY": "32"}
    attempts_left = 1 if "PORT" in environment else PORT_ATTEMPTS
    while True:
        attempts_left -= 1
        own["PORT"] = str(free_port())  # coglet cannot pick one itself
        variables = clean_environment(python) | own | environment
        server = Server("Cog's server", command, variables, checkout)
        server.root = server.url = f"http://{HOST}:{variables['PORT']}"
        try:
            server.wait_until(lambda: _predictor_is_ready(server))  # noqa: B023 - called at once
            return server
        except BaseException as failure:
            server.stop()
            port_was_taken = isinstance(failure, ServerError) and PORT_TAKEN in str(failure)
            if not (port_was_taken and attempts_left):
                raise


def _predictor_is_ready(server: Server) -> bool:
    try:
        _, body = get(f"{server.root}/health-check")
    except OSError:
        return False
    health = json.loads(body)
    if health["status"] == "SETUP_FAILED":
        raise server.error(f"failed in setup: {health['setup']['logs'].strip()}")
    if health["status"] != "READY" or server.process.poll() is not None:
        return False
    status, _ = get(f"{server.root}/openapi.json")
    if status != 200:
        raise server.error(f"has no schema (/openapi.json is {status}), so it would check no input")
    return True
