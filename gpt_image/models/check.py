"""Refuses what a model cannot do, before it costs anything, and names what it can."""

import logging
import re
from collections.abc import Callable, Iterable

from gpt_image.errors import InvalidInput
from gpt_image.models.model import Model
from gpt_image.models.sizes import Size
from gpt_image.models.table import MODELS, OFFERED
from gpt_image.request import ImageRequest

log = logging.getLogger(__name__)

_DATED = re.compile(r"-\d{4}-\d\d-\d\d$")


def check(request: ImageRequest) -> None:
    """Hold a request against its model's row. A model without one passes, and the log says so.

    Raises:
        InvalidInput: the model would refuse the request; names the nearest that it would take.
    """
    model = MODELS.get(request.model)
    if model is None:
        log.warning(
            "The model %s is not in the table of models, so nothing was checked against it.",
            request.model,
        )
        return
    _check_quality(request, model)
    _check_format(request, model)
    _check_parameters(request, model)
    _check_size(request, model)


def _check_quality(request: ImageRequest, model: Model) -> None:
    if request.quality in {"auto", *model.qualities}:
        return
    raise InvalidInput(
        f"{model.name} has no quality {request.quality}; set quality to {model.qualities[-1]} or "
        "lower"
        f"{_or_a_model_that(lambda each: request.quality in each.qualities)}."
    )


def _check_format(request: ImageRequest, model: Model) -> None:
    wanted = request.output_format
    if wanted not in model.formats:
        raise InvalidInput(
            f"{model.name} does not draw {wanted}; set output_format to {_or(model.formats)}"
            f"{_or_a_model_that(lambda each: wanted in each.formats)}."
        )
    if wanted == "svg" and request.n > 1:
        raise InvalidInput("Only one svg is drawn at a time; set number_of_images to 1.")
    if wanted == "gif" and request.mask is not None:
        raise InvalidInput(
            f"{model.name} takes no mask for a gif; leave mask out, or set output_format to "
            f"{_or(name for name in model.formats if name != 'gif')}."
        )


def _check_parameters(request: ImageRequest, model: Model) -> None:
    for name in ("mask", "markup", "complexity"):
        if getattr(request, name) is not None and name not in model.parameters:
            raise _untaken(name, model)


def _untaken(name: str, model: Model) -> InvalidInput:
    elsewhere = _or_a_model_that(lambda each: name in each.parameters)
    return InvalidInput(f"{model.name} takes no {name}; leave it out{elsewhere}.")


def _check_size(request: ImageRequest, model: Model) -> None:
    size = Size.parse(request.size)
    if size is None:
        return  # auto, which all of them take
    rule = model.sizes_of(request.output_format)
    if wrong := rule.broken_by(size):
        drawn = f" as {request.output_format}" if rule is not model.sizes else ""
        raise InvalidInput(
            f"{size} {wrong}; {rule.nearest(size)} is the nearest size that {model.name} "
            f"draws{drawn}."
        )


def _or_a_model_that(can: Callable[[Model], bool]) -> str:
    """The end of a sentence: which of the models on offer can; empty where none can."""
    able = [name for name, model in OFFERED.items() if can(model) and not _DATED.search(name)]
    return f", or choose the model {_or(able)}" if able else ""


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
