"""What an answer holds: fields, usage, pictures, headers; and the models endpoint."""

import base64
import io
import re
import time
from typing import Any

from PIL import Image

from tests.sandbox.conftest import MODEL, Api, png, upload
from tests.sandbox.facts.fact import (
    DUMP,
    IRE,
    P1,
    REFERENCE,
    SDK,
    SPEC,
    Check,
    Fact,
    answer_has,
    header,
    is_error,
)  # fmt: skip

_PRICES = "price list of 2026 (genai-prices, batch of 2026-10-14)"
_LOOKUP = "wuyoscar/GPT-Image2-Skill models.md, lobehub PR 19342"
_RESET = r"\d+(\.\d+)?(ms|s)"


def _picture(answer: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["data"][0]["b64_json"], validate=True)))


def _echoes(name: str, value: str, grade: Any, source: str, **also: object) -> Fact:
    check = answer_has(lambda answer: answer[name] == value, **{name: value}, **also)
    return Fact(f"{name} {value} is named in the answer", grade, source, check)


def _identified(expected: str | None, **fields: object) -> Check:
    return answer_has(lambda answer: answer.get("safety_identifier") == expected, **fields)


def _is_format(kind: str) -> Check:
    return answer_has(lambda a: _picture(a).format == kind.upper(), output_format=kind)


def _costs(api: Api) -> None:
    """5, 8 and 30 dollars per million tokens of text, images and output."""
    api.forget()
    usage = api.edit([upload(png())], size="1536x1024", quality="medium").json()["usage"]
    inputs = usage["input_tokens_details"]
    dollars = 5 * inputs["text_tokens"] + 8 * inputs["image_tokens"] + 30 * usage["output_tokens"]
    assert abs(api.ledger()[0]["cost_usd"] - dollars / 1_000_000) < 1e-9


def _headers_on_errors(api: Api) -> None:
    headers = api.generate(size="bogus").headers
    assert re.fullmatch(r"req_\w+", headers["x-request-id"])
    assert headers["x-ratelimit-limit-input-images"].isdigit()


def _sdk_reads_it(api: Api) -> None:
    answer = api.sdk().images.generate(model=MODEL, prompt="A fox", size="1024x1024")
    assert answer.data
    assert answer.data[0].b64_json
    assert answer.usage
    assert answer.usage.input_tokens_details.text_tokens == answer.usage.input_tokens
    assert re.fullmatch(r"req_\w+", answer._request_id or "")


def _get(api: Api, path: str) -> Any:
    return api.http.get(f"{api.url}/{path}", timeout=60)


def _lists_models(api: Api) -> None:
    body = _get(api, "models").json()
    assert body["object"] == "list"
    assert {MODEL, "gpt-image-2-2026-04-21"} <= {card["id"] for card in body["data"]}


def _has_card(api: Api) -> None:
    card = _get(api, f"models/{MODEL}").json()
    assert (card["id"], card["object"]) == (MODEL, "model")
    assert isinstance(card["created"], int)
    assert isinstance(card["owned_by"], str)


def _has_shutdown_date(api: Api) -> None:
    assert _get(api, f"models/{MODEL}").json()["shutdown_date"] is None


def _lacks_model(api: Api) -> None:
    answer = _get(api, "models/gpt-image-9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def _says_which_model(api: Api) -> None:
    answer = _get(api, "models/gpt-image-9")
    is_error(answer, 404, IRE, "model_not_found", "model", "The model 'gpt-image-9' does not exist")


_OPTIONAL = {"safety_identifier", "svg_usage"}
_FIELDS = {"created", "data", "background", "output_format", "quality", "size", "usage"}
_DETAILS = {"image_tokens", "text_tokens"}

FACTS = (
    Fact("an answer has these fields and no others", "M", P1,
         answer_has(lambda a: set(a) - _OPTIONAL == _FIELDS)),
    Fact("created is the time in seconds", "D", SPEC,
         answer_has(lambda a: abs(a["created"] - time.time()) < 60)),
    Fact("data has n elements", "D", SPEC, answer_has(lambda a: len(a["data"]) == 3, n=3)),
    Fact("an element holds b64_json, no url and no revised_prompt", "D", SDK,
         answer_has(lambda a: set(a["data"][0]) == {"b64_json"})),
    Fact("n is 1 where nothing is said", "D", SPEC, answer_has(lambda a: len(a["data"]) == 1)),
    Fact("quality is low where nothing is said", "M", P1,
         answer_has(lambda a: a["quality"] == "low")),
    Fact("quality auto becomes low", "M", P1,
         answer_has(lambda a: a["quality"] == "low", quality="auto")),
    Fact("background auto becomes opaque", "M", P1,
         answer_has(lambda a: a["background"] == "opaque", background="auto")),
    Fact("size auto can give 1254x1254, no multiple of 16", "M", P1,
         answer_has(lambda a: a["size"] == "1254x1254", size="auto")),
    Fact("output_format is png where nothing is said", "D", SPEC,
         answer_has(lambda a: a["output_format"] == "png")),
    _echoes("size", "1536x1024", "M", P1),
    _echoes("quality", "high", "M", P1),
    _echoes("background", "transparent", "D", SPEC),
    _echoes("output_format", "webp", "D", SPEC),
    Fact("the picture has the size that the answer names", "M", P1, answer_has(
        lambda a: "{}x{}".format(*_picture(a).size) == a["size"], size="1536x864")),
    *(Fact(f"output_format {kind} gives a {kind}", "D", SPEC, _is_format(kind))
      for kind in ("png", "jpeg", "webp")),
    Fact("a transparent picture has an alpha plane", "M", "live, 2026-08-22", answer_has(
        lambda a: _picture(a).getchannel("A").getextrema() == (0, 255),
        background="transparent")),
    Fact("safety_identifier is in the answer", "D", SDK,
         _identified("user-7", safety_identifier="user-7")),
    Fact("user is in the answer as safety_identifier", "D", SDK,
         _identified("user-7", user="user-7")),
    Fact("safety_identifier goes before user", "D", SDK,
         _identified("new", safety_identifier="new", user="old")),
    Fact("an empty safety_identifier counts as none", "D", SDK,
         _identified("old", safety_identifier="", user="old")),
    Fact("without user and safety_identifier the answer has none", "D", SDK, _identified(None)),
    Fact("usage has these parts", "M", P1, answer_has(lambda a: set(a["usage"]) == {
        "input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details",
        "total_tokens"})),
    Fact("input_tokens_details has text and images", "M", P1,
         answer_has(lambda a: set(a["usage"]["input_tokens_details"]) == _DETAILS)),
    Fact("output_tokens_details has text and images", "M", P1,
         answer_has(lambda a: set(a["usage"]["output_tokens_details"]) == _DETAILS)),
    Fact("all output is image tokens", "M", P1, answer_has(
        lambda a: a["usage"]["output_tokens_details"]
        == {"image_tokens": a["usage"]["output_tokens"], "text_tokens": 0})),
    Fact("total_tokens is input and output", "M", P1, answer_has(
        lambda a: a["usage"]["total_tokens"]
        == a["usage"]["input_tokens"] + a["usage"]["output_tokens"])),
    Fact("input_tokens is text and images", "M", P1, answer_has(
        lambda a: a["usage"]["input_tokens"] == sum(a["usage"]["input_tokens_details"].values()))),
    Fact("no input image, no image tokens", "M", P1,
         answer_has(lambda a: a["usage"]["input_tokens_details"]["image_tokens"] == 0)),
    Fact("a prompt of one line costs 12 to 14 tokens", "M", P1, answer_has(
        lambda a: a["usage"]["input_tokens"] in range(12, 15),
        prompt="A lighthouse on a cliff at dusk, in bold flat shapes")),
    Fact("output tokens add up over the pictures", "A", "the sum is the simplest reading",
         answer_has(lambda a: a["usage"]["output_tokens"] == 3 * 196, n=3)),
    Fact("a million tokens cost 5, 8 and 30 dollars", "D", _PRICES, _costs),
    Fact("the SDK reads the answer", "D", SDK, _sdk_reads_it),
    Fact("answers are JSON", "D", SPEC, header("content-type", "application/json")),
    Fact("x-request-id is req_...", "M", DUMP, header("x-request-id", r"req_\w+")),
    *(Fact(f"x-ratelimit-{what}-{kind} is sent", "M", DUMP,
           header(f"x-ratelimit-{what}-{kind}", pattern))
      for kind in ("requests", "tokens", "input-images")
      for what, pattern in (("limit", r"\d+"), ("remaining", r"\d+"), ("reset", _RESET))),
    Fact("cf-ray is sent", "M", DUMP, header("cf-ray", r"[0-9a-f]{16}-[A-Z]{3}")),
    Fact("server is cloudflare", "M", DUMP, header("server", "cloudflare")),
    Fact("strict-transport-security is sent", "M", DUMP,
         header("strict-transport-security", r"max-age=\d+.*")),
    Fact("x-content-type-options is nosniff", "M", DUMP,
         header("x-content-type-options", "nosniff")),
    Fact("openai-processing-ms is a number", "D", REFERENCE,
         header("openai-processing-ms", r"\d+")),
    Fact("openai-version is 2020-10-01", "D", REFERENCE, header("openai-version", "2020-10-01")),
    Fact("openai-organization is sent", "D", REFERENCE, header("openai-organization", r"[\w-]+")),
    Fact("errors have the same headers", "M", DUMP, _headers_on_errors),
    Fact("GET /models lists the models", "D", SDK, _lists_models),
    Fact("GET /models/{id} gives one card", "D", SDK, _has_card),
    Fact("a model card has a shutdown_date", "D", SDK, _has_shutdown_date),
    Fact("GET /models/{id} is 404 model_not_found for others", "M", _LOOKUP, _lacks_model),
    Fact("that 404 names the model", "A", "as for chat models", _says_which_model),
    Fact("a path that does not exist is 404 with an error", "R", "reports of 2026",
         lambda api: is_error(_get(api, "nothing"), 404, IRE, None, None,
                              "Invalid URL (GET /v1/nothing)")),
)  # fmt: skip
