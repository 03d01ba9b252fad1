"""How much a prediction counts for at the upstream: its images, by what its model calls them. Pure.

OpenAI's limit is in "input-images per min", and counts the images that are asked for together with
those that are given, as its users report (mulmocast-cli #477, 2026).
"""

from collections.abc import Mapping
from typing import Any

from api.errors import InvalidField, InvalidInput
from api.input_check import InputSchema

_OUTPUTS = ("number_of_images", "num_outputs")  # this model's name, and most others' at Replicate


def weight_of(input: Mapping[str, Any], schema: InputSchema) -> int:
    """How many images a checked input asks for, and gives."""
    given = [input[name] for name in schema.file_inputs & input.keys() if input[name]]
    return _asked_for(input, schema)[1] + sum(
        len(each) if isinstance(each, list) else 1 for each in given
    )


def check_fits(input: Mapping[str, Any], schema: InputSchema, most: int) -> None:
    """Refuse what no waiting would let through.

    Args:
        most: images that the account may make in a minute.

    Raises:
        InvalidInput: more are asked for.
    """
    name, asked_for = _asked_for(input, schema)
    if name and asked_for > most:
        sentence = f"Must be less than or equal to {most}, which is all that is made in a minute"
        raise InvalidInput([InvalidField("number_lte", f"input.{name}", sentence)])


def _asked_for(input: Mapping[str, Any], schema: InputSchema) -> tuple[str | None, int]:
    for name in _OUTPUTS:
        if about := schema.properties.get(name):
            return name, int(input.get(name) or about.get("default") or 1)
    return None, 1
