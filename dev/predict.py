"""`scripts/predict`: one prediction on Cog's own server, without Docker, with its flags."""

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NoReturn

from dev import request, results
from dev.display import LiveLog
from dev.prediction import EVERY_WEBHOOK, PredictionError, State, follow
from dev.servers import ServerError, predictor_server
from dev.upstream import real_upstream, sandbox_upstream
from gpt_image.errors import GptImageError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 with pictures on disk, 1 with a sentence why not, 130 if stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _main(_parser().parse_args(argv))
    except ServerError as error:
        return _fail(f"{error.log}\n{error.reason}")
    except (request.RequestError, PredictionError, GptImageError, OSError, ValueError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("Stopped; nothing is left running.", code=130)


def _main(arguments: argparse.Namespace) -> int:
    inputs = _inputs(arguments)
    destination = results.check_destination(arguments.output or results.default_destination())
    state = _predict(inputs, arguments.real)
    if state["status"] != "succeeded":
        return _fail(results.failure(state))
    print()
    for path, content in results.save(state["output"], destination):
        print(results.describe(path, content))
    print(*results.metric_lines(state), sep="\n")
    if not arguments.real:
        print("The sandbox charged nothing; the cost is what OpenAI would have asked.")
    return 0


def _predict(inputs: Mapping[str, Any], real: bool) -> State:
    with ExitStack() as stack:
        environment = real_upstream(inputs) if real else stack.enter_context(sandbox_upstream())
        server = stack.enter_context(predictor_server(**environment, **EVERY_WEBHOOK))
        print(f"Cog's server is ready at {server.url}\n", flush=True)
        live = stack.enter_context(LiveLog())
        # Closed here, and not when it is collected: that cancels a prediction which is stopped.
        for state in stack.enter_context(closing(follow(server, inputs))):
            live.update(state)
    return state


def _inputs(arguments: argparse.Namespace) -> request.Inputs:
    if bool(arguments.input) == bool(arguments.json):
        raise request.RequestError("Give the inputs either with -i name=value or with --json.")
    if arguments.json:
        return request.from_json(arguments.json)
    return request.from_flags(arguments.input)


def _fail(sentence: str, code: int = 1) -> int:
    print(sentence, file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(1, f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scripts/predict",
        description="One prediction without Docker; the sandbox answers unless --real is given.",
        epilog='Example: scripts/predict -i prompt="a red bicycle" -i input_images=@photo.jpg',
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-i", "--input", action="append", metavar="NAME=VALUE", help="an input; @PATH for files")
    add("--json", metavar="JSON", help="all inputs as one JSON object, @PATH or @- for stdin")
    add("-o", "--output", type=Path, metavar="PATH", help="where to save; default: output/")
    add("--real", action="store_true", help="use the exported OPENAI_* variables; costs money")
    return parser


if __name__ == "__main__":
    sys.exit(main())
