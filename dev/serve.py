"""`make serve`: the API before Cog's server until Ctrl-C, with the sandbox or a real upstream."""

import argparse
import os
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from dev.servers import HOST, PROJECT, Server, ServerError, free_port, predictor_server
from dev.servers.api import Api, predictor_for_api
from dev.upstream import real_upstream, sandbox_upstream
from gpt_image.errors import GptImageError

USUAL_PORT = 8000
COGS_USUAL_PORT = 5000  # where Cog's own container listens
LAST_PORT = 65535
SAVE = shlex.quote(str(PROJECT / "scripts" / "save-pictures"))

COG_READY = """\
Cog's server is ready at {url}. Try it from another terminal:

  curl -sS {url}/predictions -H 'Content-Type: application/json' \\
    -d '{{"input": {{"prompt": "a red bicycle"}}}}' | {save}

It saves picture.0.webp where you are, or says what went wrong. Ctrl-C stops the server."""

# At the start of the line, so that Python takes what is pasted from a terminal.
API_READY = """\
The API is ready at {url}; its token is in {token}.
Try it from another terminal, in one of three ways:

curl -sS {url}/v1/models/openai/gpt-image-2/predictions \\
  -H "Authorization: Bearer $(cat {token})" -H 'Prefer: wait' \\
  -H 'Content-Type: application/json' -d '{{"input": {{"prompt": "a red bicycle"}}}}' | {save}

python3 -m venv replicate-python && replicate-python/bin/pip install --quiet replicate==1.0.7
REPLICATE_BASE_URL={url} REPLICATE_API_TOKEN=$(cat {token}) replicate-python/bin/python -c '
import replicate
output = replicate.run("openai/gpt-image-2", input={{"prompt": "a red bicycle"}})
open("bicycle.webp", "wb").write(output[0].read())'

npm install --silent replicate@1.4
REPLICATE_API_TOKEN=$(cat {token}) node --input-type=module -e '
import {{ writeFile }} from "node:fs/promises";
import Replicate from "replicate";
const replicate = new Replicate({{ baseUrl: "{url}/v1" }});
const input = {{ prompt: "a red bicycle" }};
const [picture] = await replicate.run("openai/gpt-image-2", {{ input }});
await writeFile("bike.webp", picture);'

They save picture.0.webp, bicycle.webp and bike.webp where you are. {url} in a browser is a page
that makes pictures too; sign in there with the token. Ctrl-C stops the server."""


class PortError(Exception):
    """One sentence about a port that cannot be had."""


def main(argv: Sequence[str]) -> int:
    """Serve until stopped; 1 with a sentence when a server does not start or ends.

    Raises:
        KeyboardInterrupt: stopped.
    """
    arguments = _parser().parse_args(argv)
    try:
        port = _port(COGS_USUAL_PORT if arguments.cog else USUAL_PORT)
        with ExitStack() as stack:
            # Anybody's request may bring a key, so that none has to be set here.
            environment = (
                real_upstream({}, needs_payer=False)
                if arguments.real
                else stack.enter_context(sandbox_upstream())
            )
            serve = _serve_cog if arguments.cog else _serve_api
            server = serve(stack, environment, port)
            server.process.wait()
            raise server.error("ended by itself")
    except ServerError as error:
        print(f"{error.log}\n{error.reason}".strip(), file=sys.stderr)
    except OSError as error:
        print(f"Cannot use {error.filename}: {error.strerror}.", file=sys.stderr)
    except (GptImageError, PortError) as error:
        print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dev serve", description=__doc__)
    parser.add_argument(
        "--real", action="store_true", help="use the exported OPENAI_* variables; costs money"
    )
    parser.add_argument("--cog", action="store_true", help="Cog's own server alone")
    return parser


def _serve_cog(stack: ExitStack, environment: Mapping[str, str], port: int) -> Server:
    server = stack.enter_context(predictor_server(PORT=str(port), **environment))
    print(COG_READY.format(url=server.url, save=SAVE), flush=True)
    return server


def _serve_api(stack: ExitStack, environment: Mapping[str, str], port: int) -> Server:
    """`API_TOKEN` chooses the token; what is printed reads it from a file."""
    data = Path(os.environ.get("API_DATA_DIRECTORY") or PROJECT / "api-data")
    outputs, worker_port = data / "cog-outputs", free_port()
    for folder in (data, outputs):  # one by one: of what mkdir makes on the way all may read
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    cog = stack.enter_context(predictor_for_api(worker_port, outputs, **environment))
    api = Api(data, cog.url, worker_port, outputs, port=port)
    stack.callback(api.stop)
    server = api.start()
    token = data / "token"
    # Only now, when no other API has these data, and this one has found the token good.
    if chosen := os.environ.get("API_TOKEN"):
        _write_private(token, chosen)
    shown = shlex.quote(str(token))
    print(API_READY.format(url=api.url, token=shown, save=SAVE), flush=True)
    return server


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
        written.write(f"{text}\n")


def _port(usual: int) -> int:
    """The port of `PORT`, else the usual one, else a free one.

    Raises:
        PortError: the one of `PORT` cannot be had.
    """
    asked = os.environ.get("PORT")
    if not asked:
        if not _fault_of(usual):
            return usual
        print(f"Port {usual} is taken, so another one is used; PORT=NUMBER chooses it.")
        return free_port()
    if not (asked.isdecimal() and 0 < int(asked) <= LAST_PORT):
        raise PortError(f"PORT must be a number from 1 to {LAST_PORT}.")
    if fault := _fault_of(int(asked)):
        raise PortError(
            f"Port {asked} cannot be used ({fault}); set PORT to another one, or leave it out."
        )
    return int(asked)


def _fault_of(port: int) -> str:
    """Why nothing can listen there; empty if something can."""
    with socket.socket() as probe:
        # As coglet does it, so that the remains of closed connections do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return str(error.strerror)
    return ""
