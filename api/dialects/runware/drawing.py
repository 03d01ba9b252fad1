"""What the model is to draw for a task, by the model's own names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from api.dialects.runware.members import invalid
from api.dialects.runware.request import FORMATS, Inference
from api.dialects.runware.sizes import Size, nearest_legal, nearest_of, sizes_of

_MODEL = "gpt-image-2"

Properties = Mapping[str, Mapping[str, Any]]
"""Of the model's input, by name."""


@dataclass(frozen=True)
class Drawing:
    """The size to ask the model for."""

    size: Mapping[str, str]
    """The input that says it."""
    scales: bool
    """Whether what is drawn is another size than was asked for."""

    @classmethod
    def of(cls, inference: Inference, properties: Properties, *, scales: bool) -> Self:
        """Choose it.

        Args:
            scales: whether another size may be drawn and scaled.

        Raises:
            TaskError: the model does not draw this size, and scaling is not wanted.
        """
        names = sizes_of(properties)
        if inference.size is None:
            return cls({"size" if names is None else "aspect_ratio": "auto"}, False)
        if names is None:
            size = nearest_legal(inference.size)
            chosen = {"size": _text(size)}
        elif names:
            size = inference.size if inference.size in names else nearest_of(inference.size, names)
            chosen = {"aspect_ratio": names[size]}
        else:
            raise invalid("width", "and height cannot be chosen: the model draws only one size")
        if size != inference.size and not scales:
            raise invalid(
                "width",
                f"and height are {_text(inference.size)}, which the model does not draw; "
                f"{_text(size)} is the nearest that it does",
            )
        return cls(chosen, size != inference.size)

    def input(
        self,
        inference: Inference,
        properties: Properties,
        references: Sequence[str],
        count: int,
    ) -> dict[str, Any]:
        """The input of one prediction of so many pictures."""
        # What is scaled is encoded afterwards, and should not have lost anything before.
        kind = "PNG" if self.scales else inference.output_format
        input: dict[str, Any] = {
            "prompt": inference.prompt,
            "number_of_images": count,
            "quality": inference.quality,
            "moderation": inference.moderation,
            "output_format": FORMATS[kind],
            **self.size,
        }
        if kind != "PNG":
            input["output_compression"] = inference.output_quality
        if references:
            input["input_images"] = list(references)
        if "model" in properties:
            input["model"] = _MODEL
        return input


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
