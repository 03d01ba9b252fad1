"""What a row of the table is made of, and the ways to check one against a running sandbox."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import requests

from tests.sandbox.conftest import MODEL, Api, FormFile, png, upload

Check = Callable[[Api], None]
Grade = Literal["M", "D", "R", "A"]
GRADES: dict[Grade, str] = {
    "M": "measured live by somebody",
    "D": "documented by OpenAI",
    "R": "reported, or seen through gateways",
    "A": "assumed",
}

# Where facts come from.
P1 = "live probe, 2026-04-28"
P2 = "live parity probe, 2026-08-29"
SIZES = "two live probes of sizes, 2026-08-27 and 2026-09-02"
LIVE = "errors seen live in 2026"
GUIDE = "OpenAI's image guide"
SPEC = "OpenAI's OpenAPI document, 2026-08-21"
SDK = "types and texts of the openai SDK 3.52"
CODES = "OpenAI's guide to error codes"
REFERENCE = "OpenAI's API reference"
HELP = "help.openai.com, articles 5955604 and 6614457"
REPORTS = "pages and notes of relays, November 2026"
DUMP = "headers of a real answer"
OURS = "the sandbox's own choice where nothing is known"

IRE = "invalid_request_error"
IGU = "image_generation_user_error"


@dataclass(frozen=True)
class Fact:
    """One thing that is known of the API.

    ``check`` raises ``AssertionError`` where the sandbox does it differently; without one the
    sandbox does not model the fact. A check may compare more than is known, such as a code that
    nobody published: ``sandbox.errors`` says what is assumed.
    """

    says: str
    grade: Grade
    source: str
    check: Check | None = None


def is_error(
    answer: requests.Response,
    status: int,
    kind: str | None,
    code: str | None,
    param: str | None,
    message: str,
) -> None:
    """Assert an answer's error; a ``message`` that ends in ``...`` gives only the beginning."""
    error = answer.json()["error"]
    assert answer.status_code == status
    assert (error["type"], error["code"], error["param"]) == (kind, code, param)
    if message.endswith("..."):
        assert error["message"].startswith(message.removesuffix("...")), error["message"]
    else:
        assert error["message"] == message


def accepted(**fields: object) -> Check:
    """A generation with these fields succeeds."""

    def check(api: Api) -> None:
        answer = api.generate(**fields)
        assert answer.ok, answer.text[:300]

    return check


def refused(
    fields: Mapping[str, object], kind: str, code: str, param: str | None, message: str
) -> Check:
    """A generation with these fields is a 400 that costs nothing."""

    def check(api: Api) -> None:
        api.forget()
        is_error(api.generate(**fields), 400, kind, code, param, message)
        assert not api.ledger()[0]["billed"]

    return check


def answer_has(holds: Callable[[dict[str, Any]], object], **fields: object) -> Check:
    """Something holds of the JSON of a successful generation."""

    def check(api: Api) -> None:
        answer = api.generate(**fields).json()
        assert holds(answer), {name: value for name, value in answer.items() if name != "data"}

    return check


def says(fields: Mapping[str, object], message: str) -> Check:
    """A generation with these fields is a 400 in these words."""

    def check(api: Api) -> None:
        answer = api.generate(**fields)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == message

    return check


def edit_accepted(*files: FormFile, **fields: str) -> Check:
    """A form with these files succeeds; without any it has one good image."""

    def check(api: Api) -> None:
        answer = api.edit([*files] or [upload(png())], **fields)
        assert answer.ok, answer.text[:300]

    return check


def edit_refused(
    files: list[FormFile],
    kind: str,
    code: str,
    param: str | None,
    message: str,
    **fields: str,
) -> Check:
    """A form with these files is a 400."""

    def check(api: Api) -> None:
        is_error(api.edit(files, **fields), 400, kind, code, param, message)

    return check


def post_edit(api: Api, references: object, **fields: object) -> requests.Response:
    body = {"model": MODEL, "prompt": "x", "size": "1024x1024", "images": references, **fields}
    return api.http.post(f"{api.url}/images/edits", json=body, timeout=20)


def json_edit_accepted(references: object, **fields: object) -> Check:
    """A JSON edit of these references succeeds."""

    def check(api: Api) -> None:
        answer = post_edit(api, references, **fields)
        assert answer.ok, answer.text[:300]

    return check


def json_edit_refused(references: object, code: str | None, param: str, message: str) -> Check:
    """A JSON edit of these references is a 400."""

    def check(api: Api) -> None:
        is_error(post_edit(api, references), 400, IRE, code, param, message)

    return check


def fails(
    marker: str, status: int, kind: str | None, code: str | None, param: str | None, message: str
) -> Check:
    """A prompt with ``[sandbox:marker]`` provokes this error."""

    def check(api: Api) -> None:
        answer = api.generate(prompt=f"A fox [sandbox:{marker}]")
        is_error(answer, status, kind, code, param, message)

    return check


def header(name: str, pattern: str, **fields: object) -> Check:
    """The answer to a generation has a header that matches a pattern as a whole."""

    def check(api: Api) -> None:
        value = api.generate(**fields).headers.get(name, "")
        assert re.fullmatch(pattern, value), f"{name}: {value!r}"

    return check
