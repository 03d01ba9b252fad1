"""A refusal that names the parameter to change, as OpenAI's errors do."""

from collections.abc import Iterable, Iterator

from api.errors import BadRequest, InvalidField, NotFound


class BadParameter(BadRequest):
    """`param` is the parameter's name, `code` one of OpenAI's."""

    def __init__(self, detail: str, param: str, code: str = "invalid_value") -> None:
        super().__init__(detail)
        self.param = param
        self.code = code


class UnknownModel(NotFound):
    """Of a model that is looked up."""

    param = "model"
    code = "model_not_found"


_PARAMETERS = {
    "aspect_ratio": "size",
    "input_images": "image",
    "number_of_images": "n",
    "user_id": "user",
    "openai_api_key": "X-OpenAI-Api-Key",
}
"""OpenAI's names for the model's inputs that it calls otherwise."""

_CODES = {  # of OpenAI's errors, by those of Replicate's validator
    "required": "missing_required_parameter",
    "invalid_type": "invalid_type",
    "number_lte": "integer_above_max_value",
    "number_gte": "integer_below_min_value",
    "string_lte": "string_above_max_length",
    "array_max_items": "array_above_max_length",
}


def in_openais_words(fields: Iterable[InvalidField]) -> BadParameter:
    """What is wrong with the input, by OpenAI's names."""
    told = list(_told(fields))
    _, param, code = told[0]
    return BadParameter(" ".join(sentence for sentence, _, _ in told), param, code)


def _told(fields: Iterable[InvalidField]) -> Iterator[tuple[str, str, str]]:
    for field in fields:
        name = field.field.removeprefix("input.").partition(".")[0]
        if field.type == "required":
            name = field.description.partition(" ")[0]
        param = _PARAMETERS.get(name, name)
        description = field.description.replace(f"input.{name}", param)
        if field.type == "required":
            sentence = f"Missing required parameter: '{param}'."
        else:
            sentence = f"Invalid '{param}': {description}."
        yield sentence, param, _CODES.get(field.type, "invalid_value")
