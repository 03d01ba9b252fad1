"""Fields of a generation: what each may be, and how each is refused."""

from typing import Any

from tests.sandbox.conftest import Api
from tests.sandbox.facts.fact import (
    GUIDE,
    IGU,
    IRE,
    LIVE,
    OURS,
    P2,
    SDK,
    SPEC,
    Fact,
    accepted,
    refused,
    says,
)  # fmt: skip

_PNG_COMPRESSED = "Compression less than 100 is not supported for PNG output format"
_NO_JPEG = "Transparent background is not supported for JPEG output format"
_QUALITIES = "Supported values are: 'low', 'medium', 'high', and 'auto'."
_FORMATS = "Supported values are: 'png', 'webp', and 'jpeg'."


def _in_order(api: Api) -> None:
    wrong: dict[str, object] = {
        "model": "dall-e-3", "style": "vivid", "prompt": "", "n": 11, "quality": "ultra",
        "output_compression": 101, "size": "bogus",
    }  # fmt: skip
    right: dict[str, Any] = {
        "model": "gpt-image-2", "style": ..., "prompt": "A fox", "n": 1, "quality": "low",
        "output_compression": 100, "size": "1024x1024",
    }  # fmt: skip
    for name in list(wrong):
        assert api.generate(**wrong).json()["error"]["param"] == name
        wrong[name] = right[name]
    assert api.generate(**wrong).ok


def _missing(name: str) -> Fact:
    message = f"Missing required parameter: '{name}'."
    check = refused({name: ...}, IRE, "missing_required_parameter", name, message)
    return Fact(f"{name} is required", "M", P2, check)


def _unknown(name: str, value: object, grade: Any, source: str) -> Fact:
    check = refused({name: value}, IRE, "unknown_parameter", name, f"Unknown parameter: '{name}'.")
    shown = f"{name}, even null," if value is None else name
    return Fact(f"{shown} is unknown to generations", grade, source, check)


def _null(name: str) -> Fact:
    return Fact(f"null counts as omitted for {name}", "M", P2, accepted(**{name: None}))


def _takes(name: str, value: object, grade: Any, source: str, **also: object) -> Fact:
    with_others = "".join(f", {other} {its!r}" for other, its in also.items())
    check = accepted(**{name: value}, **also)
    return Fact(f"{name} {value!r}{with_others} is accepted", grade, source, check)


def _not_among(name: str, value: str, grade: Any, source: str, supported: str) -> Fact:
    message = f"Invalid value: '{value}'. {supported}"
    check = refused({name: value}, IRE, "invalid_value", name, message)
    return Fact(f"{name} {value!r} is refused", grade, source, check)


def _wrong_type(name: str, value: object, grade: Any = "M", source: str = P2) -> Fact:
    check = refused({name: value}, IRE, "invalid_type", name, f"Invalid type for '{name}': ...")
    return Fact(f"{name} {value!r} has the wrong type", grade, source, check)


def _beyond(name: str, value: int, bound: int, grade: Any, source: str, **also: object) -> Fact:
    above = value > bound
    what, sign = ("above_max", "<=") if above else ("below_min", ">=")
    words = "above maximum" if above else "below minimum"
    message = (
        f"Invalid '{name}': integer {words} value. "
        f"Expected a value {sign} {bound}, but got {value} instead."
    )
    check = refused({name: value, **also}, IRE, f"integer_{what}_value", name, message)
    return Fact(f"{name} {value} is out of bounds", grade, source, check)


FACTS = (
    Fact("fields are checked in the order model, unknown keys, prompt, n, quality, "
         "output_compression, size", "M", P2, _in_order),
    _missing("model"),
    _missing("prompt"),
    _takes("model", "gpt-image-2-2026-04-21", "D", SPEC),
    Fact("a model that does not exist is refused", "M", P2, refused(
        {"model": "dall-e-3"}, IGU, "invalid_value", "model",
        "The model 'dall-e-3' does not exist.")),
    Fact("an empty prompt is refused", "M", P2, refused(
        {"prompt": ""}, IRE, "empty_string", "prompt", "Invalid 'prompt': empty string...")),
    Fact("a prompt of white space is accepted", "M", P2, accepted(prompt="  ")),
    Fact("a prompt of 32000 characters is accepted", "D", SPEC, accepted(prompt="word " * 6400)),
    Fact("a prompt of 32001 characters is refused", "M", LIVE, refused(
        {"prompt": "x" * 32_001}, IRE, "string_above_max_length", "prompt",
        "Invalid 'prompt': string too long. Expected a string with maximum length 32000, but got "
        "a string with length 32001 instead.")),
    _wrong_type("prompt", 7, "A", "as for n"),
    _takes("n", 1, "D", SPEC),
    _takes("n", 10, "D", SPEC, output_format="jpeg"),
    _beyond("n", 11, 10, "M", P2),
    _beyond("n", 0, 1, "M", P2),
    _wrong_type("n", 1.5),
    _wrong_type("n", True),
    _wrong_type("n", "2"),
    *(_takes("quality", quality, "D", SPEC) for quality in ("low", "medium", "high", "auto")),
    *(_not_among("quality", other, "M", P2, _QUALITIES) for other in ("ultra", "standard", "hd")),
    *(Fact(f"gpt-image-2 has no quality {other!r}", "M",
           "two live probes, 2026-09-09 and 2026-09-21",
           says({"quality": other}, f"The model 'gpt-image-2' does not support quality '{other}'"))
      for other in ("xhigh", "max")),
    Fact("the refusal of a quality names the field", "A", OURS, refused(
        {"quality": "max"}, IGU, "invalid_value", "quality", "The model...")),
    *(_takes("background", background, "D", SPEC)
      for background in ("transparent", "opaque", "auto")),
    _not_among("background", "clear", "D", SPEC,
               "Supported values are: 'transparent', 'opaque', and 'auto'."),
    Fact("a transparent jpeg is refused", "R", LIVE, refused(
        {"background": "transparent", "output_format": "jpeg"},
        IGU, "invalid_value", "background", _NO_JPEG)),
    _takes("background", "transparent", "D", GUIDE, output_format="webp"),
    *(_takes("output_format", kind, "D", SPEC) for kind in ("png", "jpeg", "webp")),
    *(_not_among("output_format", other, "M", P2, _FORMATS) for other in ("jpg", "gif", "svg")),
    _takes("output_compression", 0, "D", SPEC, output_format="webp"),
    _takes("output_compression", 100, "D", SPEC, output_format="jpeg"),
    _takes("output_compression", 100, "M", LIVE, output_format="png"),
    _beyond("output_compression", 101, 100, "D", SPEC, output_format="webp"),
    _beyond("output_compression", -1, 0, "D", SPEC, output_format="webp"),
    Fact("a png cannot be compressed", "M", LIVE, refused(
        {"output_compression": 90}, IGU, "invalid_png_output_compression", None, _PNG_COMPRESSED)),
    *(_takes("moderation", level, "D", SPEC) for level in ("low", "auto")),
    _not_among("moderation", "off", "D", SPEC, "Supported values are: 'low' and 'auto'."),
    *(_takes("partial_images", number, "D", SPEC, stream=False) for number in (0, 3)),
    _beyond("partial_images", 4, 3, "D", SPEC),
    _takes("user", "user-7", "M", P2),
    _wrong_type("user", 7, "A", "as for n"),
    Fact("a safety identifier of 128 characters is accepted", "D", GUIDE,
         accepted(safety_identifier="x" * 128)),
    Fact("a safety identifier of 129 characters is refused", "D", GUIDE, refused(
        {"safety_identifier": "x" * 129}, IRE, "string_above_max_length", "safety_identifier",
        "Invalid 'safety_identifier': string too long. Expected a string with maximum length 128, "
        "but got a string with length 129 instead.")),
    *map(_null, ("n", "output_compression", "partial_images", "quality", "size", "stream")),
    _unknown("response_format", "b64_json", "M", P2),
    _unknown("response_format", None, "M", P2),
    _unknown("style", "vivid", "M", P2),
    _unknown("input_fidelity", "high", "M", P2),
    _unknown("mask", {}, "M", P2),
    _unknown("images", [], "M", P2),
    _unknown("seed", 7, "M", LIVE),
    _unknown("aspect_ratio", "3:2", "M", LIVE),
    *(_unknown(name, 2, "D", SDK)
      for name in ("complexity", "frame_count", "frame_duration_ms", "svg", "markup")),
    Fact("a size in other digits than 0 to 9 is refused", "A", OURS, refused(
        {"size": "\u0661\u0660\u0662\u0664x1024"}, IGU, "invalid_value", "size",
        "Invalid size...")),
)  # fmt: skip
