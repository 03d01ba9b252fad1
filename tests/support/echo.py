"""An upstream that repeats a private text wherever an answer has room for one, in any disguise."""

import base64
import html
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from tests.support.loopback import Answer, Received, stand_in


def _in_pieces(text: str, glue: str) -> str:
    return glue.join(text[start : start + 5] for start in range(0, len(text), 5))


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "upper": str.upper,
    "swapped": str.swapcase,
    "last-ten": lambda text: text[-10:],
    "first-half": lambda text: text[: len(text) // 2],
    "second-half": lambda text: text[len(text) // 2 :],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-header": lambda text: base64.urlsafe_b64encode(f"Bearer {text}".encode()).decode(),
    "base64-upper": lambda text: base64.b64encode(text.upper().encode()).decode(),
    "base64-pieces": lambda text: _in_pieces(base64.b64encode(text.encode()).decode(), " "),
    "base64-twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hex": lambda text: text.encode().hex(),
    "spaces": lambda text: _in_pieces(text, " "),
    "dashes": lambda text: _in_pieces(text, "-"),
    "commas": lambda text: _in_pieces(text, "', '"),
    "percent": lambda text: "".join(f"%{ord(char):02x}" for char in text),
    "percent-twice": lambda text: quote("".join(f"%{ord(char):02x}" for char in text)),
    "escapes": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "invisible": "\u200b".join,
    "wide": lambda text: "".join(
        chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text
    ),
}


def _refusal(status: int, **fields: object) -> Answer:
    error: dict[str, Any] = {"message": "No.", "type": "e", "code": None, "param": None} | fields
    return Answer(json.dumps({"error": error}).encode(), status)


def _success(body: object) -> Answer:
    return Answer(json.dumps(body).encode())


def _in_header(name: str, text: str, answer: Answer) -> Answer:
    shown = text.encode("ascii", "backslashreplace").decode()
    return Answer(answer.body, answer.status, {name: html.escape(shown)})


def _moderated(**details: object) -> Answer:
    return _refusal(400, code="moderation_blocked", moderation_details=details)


PLACES: dict[str, Callable[[str], Answer]] = {
    "message": lambda text: _refusal(400, message=f"Wrong: '{text}'."),
    "code": lambda text: _refusal(400, code=text),
    "type": lambda text: _refusal(400, type=text),
    "param": lambda text: _refusal(400, param=text),
    "unknown parameter": lambda text: _refusal(400, param=text, code="unknown_parameter"),
    "401 message": lambda text: _refusal(401, message=f"Incorrect API key provided: {text}."),
    "403 message": lambda text: _refusal(403, message=f"{text} may not do that."),
    "rate limit": lambda text: _in_header(
        "retry-after", "3600", _refusal(429, message=f"Rate limit reached for {text}.")
    ),
    "retry-after": lambda text: _in_header("retry-after", text, _refusal(400)),
    "request id": lambda text: _in_header("x-request-id", text, _refusal(400)),
    "request id of OpenAI's": lambda text: _in_header("x-request-id", f"req_{text}", _refusal(400)),
    "stage": lambda text: _moderated(moderation_stage=text),
    "categories": lambda text: _moderated(categories=["violence", text]),
    "violations": lambda text: _refusal(
        400, code="moderation_blocked", message=f"safety_violations=[violence, {text}]."
    ),
    "500": lambda text: _refusal(500, message=text, type=text, code=text),
    "content type": lambda text: _in_header("content-type", f"x/{text}", Answer(b"<html>")),
    "whole content type": lambda text: _in_header("content-type", text, Answer(b"<html>")),
    "behind a 200": lambda text: _success({"error": {"message": f"Sorry, {text}"}}),
    "bare behind a 200": lambda text: _success({"error": text}),
    "code behind a 200": lambda text: _success({"error": {"message": "No.", "code": text}}),
    "id of a 200": lambda text: _in_header("x-request-id", text, _success({"data": []})),
    "url": lambda text: _success({"data": [{"url": f"http://127.0.0.1:1/{text}"}]}),
    "bare url": lambda text: _success({"data": [{"url": text}]}),
    "usage": lambda text: _success({"usage": {"input_tokens": text}, "data": [{"b64_json": text}]}),
    "page": lambda text: Answer(f"<html>{text}</html>".encode(), 502),
}


@contextmanager
def echoing_upstream() -> Iterator[str]:
    """Its base URL; a prompt that ends in `<place|disguise|what>` chooses the echo.

    `what` is "key" or "prompt": the request's own. Without that ending the message of a refusal
    repeats both.
    """

    def answer(request: Received) -> Answer:
        prompt = json.loads(request.body)["prompt"]
        key = request.headers["authorization"].removeprefix("Bearer ")
        if not prompt.endswith(">"):
            return _refusal(400, message=f"bad Bearer {key} for {prompt} was cancelled")
        text, _, chosen = prompt[:-1].rpartition("<")
        place, disguise, what = chosen.split("|")
        return PLACES[place](DISGUISES[disguise](key if what == "key" else text.strip()))

    with stand_in() as upstream:
        upstream.answer = answer
        yield f"{upstream.root}/v1"
