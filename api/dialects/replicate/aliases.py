"""Names that Replicate's clients use for other models' inputs, and what they mean for this one.

@ai-sdk/replicate sends these for every image model.
"""

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

_WITHOUT_EFFECT = ("seed", "mask")


def with_own_names(
    given: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The input with the model's own names, where it lacks those given."""
    input = dict(given)

    def lacks(name: str) -> bool:
        return name in input and name not in properties

    def wants(name: str) -> bool:
        return name in properties and input.get(name) is None

    if lacks("image") and wants("input_images") and input["image"] is not None:
        input["input_images"] = [input.pop("image")]
    if lacks("num_outputs") and wants("number_of_images"):
        input["number_of_images"] = input.pop("num_outputs")
    sizes = properties.get("aspect_ratio", {}).get("enum", [])
    if lacks("size") and wants("aspect_ratio") and input["size"] in sizes:
        input["aspect_ratio"] = input.pop("size")
    formats = properties.get("output_format", {}).get("enum", [])
    if input.get("output_format") == "jpg" and "jpg" not in formats and "jpeg" in formats:
        input["output_format"] = "jpeg"
    ignored = [name for name in _WITHOUT_EFFECT if lacks(name) and input[name] is not None]
    if ignored:
        log.warning("This model takes no %s; ignored.", " and no ".join(ignored))
    return input
