"""The inputs as core.today publishes them: narrower than the model's own, and enforced."""

from collections.abc import Mapping
from typing import Any

from api.errors import InvalidField, InvalidInput
from api.input_check import InputSchema

_INPUTS: dict[str, dict[str, Any]] = {  # from the page of its gpt-image-2, with its defaults
    "prompt": {"type": "string"},
    "openai_api_key": {"type": "string", "nullable": True},
    "aspect_ratio": {"type": "string", "enum": ["1:1", "3:2", "2:3"], "default": "1:1"},
    "input_images": {
        "type": "array",
        "items": {"type": "string", "format": "uri"},
        "default": [],
    },
    "number_of_images": {"type": "integer", "minimum": 1, "maximum": 1, "default": 1},
    "output_format": {"type": "string", "enum": ["webp", "png", "jpeg"], "default": "webp"},
    "output_compression": {"type": "integer", "minimum": 0, "maximum": 100, "default": 90},
    "user_id": {"type": "string", "nullable": True},
    "background": {"type": "string", "enum": ["auto", "opaque"], "default": "auto"},
    "moderation": {"type": "string", "enum": ["auto", "low"], "default": "auto"},
    "quality": {"type": "string", "enum": ["low", "medium", "high", "auto"], "default": "auto"},
}
_SCHEMA = InputSchema(
    {"components": {"schemas": {"Input": {"properties": _INPUTS, "required": ["prompt"]}}}}
)
_DEFAULTS = {name: each["default"] for name, each in _INPUTS.items() if "default" in each}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The input with core.today's defaults.

    Raises:
        InvalidInput: it is not as published.
    """
    if unknown := [name for name in given if name not in _INPUTS]:
        names = ", ".join(_INPUTS)
        sentence = f"There is no such input; there are {names}"
        raise InvalidInput([InvalidField("unknown", _place(name), sentence) for name in unknown])
    input = _DEFAULTS | _SCHEMA.checked(given)
    if not input["input_images"]:
        del input["input_images"]
    return input


def _place(name: str) -> str:
    return f"input.{name[:64]}"
