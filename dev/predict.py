"""`scripts/predict`: one prediction on Cog's own server, without Docker, with its flags."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dev import request, results
from dev.cost import Estimate, estimate
from dev.display import LiveLog
from dev.prediction import EVERY_WEBHOOK, PredictionError, State, follow
from dev.servers import EXACT, EXTENDED, ServerError, predictor_server
from dev.upstream import real_upstream, sandbox_upstream
from gpt_image.errors import GptImageError


@dataclass
class Bill:
    """What is known of the money when somebody presses Ctrl-C."""

    real: bool
    estimate: Estimate | None = None
    sent: bool = False

    def __str__(self) -> str:
        if not self.real:
            return ""
        if not self.sent:
            return "Nothing was sent, so nothing is billed."
        return (
            "The request went out, so it may be billed: look it up in your account before you "
            f"repeat it. The estimate was {self.estimate or 'unknown'}."
        )


def main(argv: Sequence[str]) -> int:
    """Run the command line; 0 with pictures on disk, 1 with a sentence why not.

    Raises:
        KeyboardInterrupt: stopped; its text says what may be billed, if anything.
    """
    arguments = _parser().parse_args(argv)
    bill = Bill(arguments.real)
    try:
        return _main(arguments, bill)
    except ServerError as error:
        return _fail(f"{error.log}\n{error.reason}".strip())
    except (request.RequestError, PredictionError, GptImageError, OSError, ValueError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(str(bill)) from None


def _main(arguments: argparse.Namespace, bill: Bill) -> int:
    inputs = _inputs(arguments)
    destination = results.check_destination(arguments.output or results.default_destination())
    state = _predict(inputs, bill, _contract(arguments))
    if state["status"] != "succeeded":
        return _fail(results.failure(state))
    print()
    for path, content in results.save(state["output"], destination):
        print(results.describe(path, content))
    print(*results.metric_lines(state), sep="\n")
    if not bill.real:
        print("The sandbox charged nothing; cost_usd is OpenAI's list price for these counts.")
    return 0


def _predict(inputs: Mapping[str, Any], bill: Bill, contract: str) -> State:
    with ExitStack() as stack:
        environment = (
            real_upstream(inputs) if bill.real else stack.enter_context(sandbox_upstream())
        )
        operators_model = environment.get("OPENAI_IMAGE_MODEL") or "gpt-image-2"
        bill.estimate = estimate(inputs, inputs.get("model") or operators_model)
        print(f"Estimate by OpenAI's token formula and list prices: {bill.estimate or 'unknown'}.")
        server = stack.enter_context(
            predictor_server(contract=contract, **environment, **EVERY_WEBHOOK)
        )
        print(f"Cog's server is ready at {server.url}\n", flush=True)
        live = stack.enter_context(LiveLog())
        bill.sent = True
        # Closed here, and not when it is collected: that cancels a prediction which is stopped.
        for state in stack.enter_context(closing(follow(server, inputs))):
            live.update(state)
    return state


def _inputs(arguments: argparse.Namespace) -> request.Inputs:
    if bool(arguments.input) == bool(arguments.json):
        raise request.RequestError("Give the inputs either with -i name=value or with --json.")
    if arguments.json:
        return request.from_json(arguments.json, _contract(arguments))
    return request.from_flags(arguments.input, _contract(arguments))


def _contract(arguments: argparse.Namespace) -> str:
    return EXTENDED if arguments.extended else EXACT


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


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
    add("-o", "--output", type=Path, metavar="PATH", help="where to save; default: pictures/")
    add("--extended", action="store_true", help="the extended model: predict_extended.py")
    add("--real", action="store_true", help="use the exported OPENAI_* variables; costs money")
    return parser
