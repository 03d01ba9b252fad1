"""An input against the model's schema, in the words that Replicate gives (gojsonschema's).

Pure. tests/api/test_input_errors.py holds the wording to what the library itself says.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from api.errors import InvalidField, InvalidInput

_ROOT = "input"
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) and "\\" not in value


class InputSchema:
    """A model's schema of its input.

    Args:
        document: Cog's OpenAPI document; its components hold `Input`.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        components = document["components"]["schemas"]
        schema = _resolved(components["Input"], components)
        self.properties: dict[str, dict[str, Any]] = schema["properties"]
        self._validator = Draft202012Validator(schema, format_checker=_FORMATS)

    @property
    def secrets(self) -> set[str]:
        """Names of the inputs that nobody is shown."""
        return {
            name
            for name, each in self.properties.items()
            if each.get("x-cog-secret") or each.get("format") == "password"
        }

    @property
    def file_inputs(self) -> set[str]:
        """Names of the inputs that are addresses of files, or lists of them."""
        return {
            name
            for name, each in self.properties.items()
            if "uri" in {each.get("format"), each.get("items", {}).get("format")}
        }

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The known inputs among those given; null counts as absent where the schema allows it.

        Raises:
            InvalidInput: with every error, in the order of the input.
        """
        known = {
            name: value
            for name, value in given.items()
            if name in self.properties
            and not (value is None and self.properties[name].get("nullable"))
        }
        errors = list(self._validator.iter_errors(known))
        if errors:
            order = {name: place for place, name in enumerate(known)}
            errors.sort(key=lambda error: order.get(str(next(iter(error.path), "")), -1))
            raise InvalidInput([_field(error) for error in errors])
        return {name: self._whole(name, value) for name, value in known.items()}

    def _whole(self, name: str, value: object) -> object:
        """3.0 is an integer to the schema, and must be one to the model."""
        if isinstance(value, float) and self.properties[name].get("type") == "integer":
            return int(value)
        return value


def missing(name: str) -> InvalidInput:
    """The error for a member of the body itself that is absent."""
    return InvalidInput([InvalidField("required", "(root)", f"{name} is required")])


def wrong_member(name: str, expected: str, given: object) -> InvalidInput:
    """The error for a member of the body itself that has the wrong type."""
    return InvalidInput([InvalidField("invalid_type", name, _wrong_type(expected, given))])


def wrong_choice(place: str, choices: Sequence[str]) -> InvalidInput:
    """The error for a value of the body itself that is none of the choices."""
    listed = ", ".join(map(_quoted, choices))
    text = f"{place} must be one of the following: {listed}"
    return InvalidInput([InvalidField("enum", place, text)])


def not_a_uri(place: str) -> InvalidInput:
    """The error for an address that cannot be one."""
    return InvalidInput([InvalidField("format", place, "Does not match format 'uri'")])


def _field(error: ValidationError) -> InvalidField:
    given: Any = error.instance
    path = ".".join([_ROOT, *map(str, error.path)])
    wanted: Any = error.validator_value
    keyword = str(error.validator)
    match keyword:
        case "required":
            # The library tells of one absent property at a time, and only within its sentence.
            absent = next(
                name
                for name in wanted
                if name not in given and error.message.startswith(repr(name))
            )
            return InvalidField("required", path, f"{absent} is required")
        case "type":
            return InvalidField("invalid_type", path, _wrong_type(str(wanted), given))
        case "enum":
            choices = ", ".join(_quoted(choice) for choice in wanted)
            text = f"{path} must be one of the following: {choices}"
            return InvalidField("enum", path, text)
        case "maximum":
            text = f"Must be less than or equal to {wanted}"
            return InvalidField("number_lte", path, text)
        case "minimum":
            text = f"Must be greater than or equal to {wanted}"
            return InvalidField("number_gte", path, text)
        case "format":
            return InvalidField("format", path, f"Does not match format '{wanted}'")
        case "maxItems":
            text = f"Array must have at most {wanted} items"
            return InvalidField("array_max_items", path, text)
        case "minItems":
            text = f"Array must have at least {wanted} items"
            return InvalidField("array_min_items", path, text)
        case "maxLength":
            text = f"String length must be less than or equal to {wanted}"
            return InvalidField("string_lte", path, text)
        case "minLength":
            text = f"String length must be greater than or equal to {wanted}"
            return InvalidField("string_gte", path, text)
        case "pattern":
            return InvalidField("pattern", path, f"Does not match pattern '{wanted}'")
    # The library's own sentence would repeat the value, which may be a secret.
    return InvalidField(keyword, path, f"Does not meet the schema's {keyword!r}")


def _wrong_type(expected: str, given: object) -> str:
    return f"Invalid type. Expected: {expected}, given: {_type_of(given)}"


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _quoted(choice: object) -> str:
    return f'"{choice}"' if isinstance(choice, str) else str(choice)


def _resolved(schema: Any, components: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The schema with what `$ref` and a single `allOf` point to in their places."""
    if isinstance(schema, list):
        return [_resolved(each, components) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    rest = dict(schema)
    if reference := rest.pop("$ref", None):
        found |= _resolved(components[str(reference).rpartition("/")[2]], components)
    if len(parts := rest.get("allOf", [])) == 1:
        found |= _resolved(parts[0], components)
        del rest["allOf"]
    return found | {name: _resolved(each, components) for name, each in rest.items()}
