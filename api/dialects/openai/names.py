"""What callers may name as the model, and whose defaults they then expect. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.dialects.openai.refusals import BadParameter
from api.models import Model, Models


@dataclass(frozen=True)
class Named:
    """A model as a caller named it."""

    is_aimls: bool
    """Named with its owner, as in `openai/gpt-image-2`: AI/ML API's defaults are meant."""
    choice: str | None
    """What the input `model` is to be, where this Cog server offers several."""


def served_by(models: Models) -> Model:
    """The model that these callers get: the extended one where there is one, for its sizes."""
    return models.taking("size")


def names(served: Model) -> Sequence[str]:
    """The models that are there, without their owner."""
    return list(dict.fromkeys([served.name, *_choices(served)]))


def named(model: object, served: Model) -> Named:
    """The model that the parameter `model` means.

    Raises:
        BadParameter: it is missing, or there is no such model.
    """
    if model is None:
        raise BadParameter(
            f"You must provide a model, such as '{served.name}'.",
            "model",
            "missing_required_parameter",
        )
    name = model.removeprefix(f"{served.owner}/") if isinstance(model, str) else None
    if name is None or name not in names(served):
        raise BadParameter(
            f"The model does not exist here; there is {' and '.join(names(served))}, and the same "
            f"with {served.owner}/ before it.",
            "model",
        )
    return Named(is_aimls=name != model, choice=name if name in _choices(served) else None)


def _choices(served: Model) -> Sequence[str]:
    about: dict[str, Any] = served.version.schema.properties.get("model", {})
    return [str(choice) for choice in about.get("enum", [])]
