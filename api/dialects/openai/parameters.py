"""OpenAI's parameters as the model's input. Pure; the model's schema says what can be had."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.dialects.openai.names import named
from api.dialects.openai.refusals import BadParameter
from api.models import Model

log = logging.getLogger(__name__)

_SAME_NAMES = (
    "prompt",
    "quality",
    "background",
    "moderation",
    "output_format",
    "output_compression",
)
_EXTENDED = ("mask", "markup", "complexity", "svg")
"""What the exact model lacks: dropped, the picture would be another one."""
_TOLD_BY_US = {"model", "size", "n", "image", "user", "safety_identifier"}
_REPEATED = ("size", "quality", "background", "output_format")
_OF_THE_ANSWER = {"response_format", "stream", "partial_images"}

_OPENAIS = {
    "n": 1,
    "size": "auto",
    "quality": "auto",
    "output_format": "png",
    "output_compression": 100,
}
_AIMLS = _OPENAIS | {"size": "1024x1024", "quality": "medium"}


@dataclass(frozen=True)
class Reply:
    """How a caller wants to be answered."""

    is_edit: bool
    url: bool
    base64: bool
    stream: bool
    told: Mapping[str, str]
    """What it asked for, as answers repeat it: size, quality, background, output_format."""


def understood(
    given: Mapping[str, Any], served: Model, *, is_edit: bool
) -> tuple[dict[str, Any], Reply]:
    """The input by the model's own names, and the reply; null counts as absent, as at OpenAI.

    Args:
        given: of an edit with the addresses of its files as `image`, and as `mask` that of one.

    Raises:
        BadParameter: one is wrong, or needs what this model cannot do.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    model = named(asked.get("model"), served)
    defaults = _AIMLS if model.is_aimls else _OPENAIS
    properties = served.version.schema.properties
    _check_image(asked.get("image"), is_edit=is_edit)
    _drop_compression_of_png(asked, is_aimls=model.is_aimls)
    _log_what_means_nothing(asked)
    asked = defaults | asked
    input: dict[str, Any] = {name: asked[name] for name in _SAME_NAMES if name in asked}
    input |= _with_size(asked["size"], properties)
    input |= _extended(asked, properties)
    input["number_of_images"] = asked["n"]
    if user := asked.get("safety_identifier") or asked.get("user"):
        input["user_id"] = user
    if is_edit:
        input["input_images"] = asked["image"]
    if model.choice:
        input["model"] = model.choice
    url, base64 = _kinds(asked.get("response_format"), is_aimls=model.is_aimls, is_edit=is_edit)
    told = {name: str(asked.get(name, "auto")) for name in _REPEATED}
    return input, Reply(is_edit, url, base64, _flag(asked.get("stream")), told)


def _check_image(image: object, *, is_edit: bool) -> None:
    if is_edit and not image:
        raise BadParameter(
            "Missing required parameter: 'image'.", "image", "missing_required_parameter"
        )
    if image and not is_edit:
        raise BadParameter(
            "A generation takes no image; send it to /v1/images/edits.",
            "image",
            "unknown_parameter",
        )


def _with_size(size: object, properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if "size" in properties:
        return {"size": size}
    offered = [str(each) for each in properties.get("aspect_ratio", {}).get("enum", [])]
    sizes = [each for each in offered if ":" not in each]
    if size not in sizes:
        raise BadParameter(
            f"Invalid 'size': this server draws {', '.join(sizes)}. Ask its operator for the "
            "extended model to get other sizes.",
            "size",
        )
    return {"aspect_ratio": size}


def _extended(
    asked: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    found = {name: asked[name] for name in _EXTENDED if name in asked}
    for name in found:
        if name not in properties:
            raise BadParameter(
                f"The parameter '{name}' is not supported by this server's model. Leave it out, "
                "or ask its operator whether the extended model has it.",
                name,
                "unsupported_parameter",
            )
    return found


def _drop_compression_of_png(asked: dict[str, Any], *, is_aimls: bool) -> None:
    """OpenAI refuses it; to AI/ML API it means nothing."""
    if asked.get("output_format", "png") != "png":
        return
    if asked.pop("output_compression", 100) != 100 and not is_aimls:
        raise BadParameter(
            "A png is not compressed: leave output_compression out, or set output_format to jpeg "
            "or webp.",
            "output_compression",
            "invalid_png_output_compression",
        )


def _kinds(response_format: object, *, is_aimls: bool, is_edit: bool) -> tuple[bool, bool]:
    """Whether the answer holds addresses, and whether it holds base64.

    Both where nobody asked: the AI SDK needs base64 and mostly does not ask for it. AI/ML API's
    own default for a generation is the address alone, and there the AI SDK does ask.
    """
    if response_format is None:
        return True, is_edit or not is_aimls
    if response_format not in {"url", "b64_json"}:
        raise BadParameter(
            "Invalid 'response_format': supported are url and b64_json.", "response_format"
        )
    return response_format == "url", response_format == "b64_json"


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadParameter("Invalid 'stream': it must be true or false.", "stream", "invalid_type")


def _log_what_means_nothing(asked: Mapping[str, Any]) -> None:
    known = {*_SAME_NAMES, *_EXTENDED, *_TOLD_BY_US, *_OF_THE_ANSWER}
    if unknown := sorted(asked.keys() - known):
        log.info("Unknown parameters were dropped: %s.", ", ".join(unknown)[:200])
