"""The flags of `cog predict` -> the inputs of a request, by the types in the contract."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev import data_uris
from dev.servers import EXACT, PROJECT
from dev.servers.predictor import CONTRACTS

Inputs = dict[str, Any]
FILE = "file"


class RequestError(Exception):
    """The command line does not make a request; the text is one sentence for its writer."""


def from_flags(flags: Sequence[str], contract: str = EXACT) -> Inputs:
    """Inputs from `name=value` flags, each cast to its type in the contract.

    A list is made of all flags of its name, or of one JSON array; `@path` in it stands for that
    file as a data URI. One `@path` alone makes a list of one, which Cog 0.22 does not do.
    """
    types = _input_types(contract)
    given: dict[str, list[str]] = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals:
            raise RequestError(f"`-i {flag}` is not of the form name=value.")
        given.setdefault(name, []).append(_unquoted(value))
    _refuse_unknown(given, types)
    return {name: _cast(name, values, types[name]) for name, values in given.items()}


def from_json(argument: str, contract: str = EXACT) -> Inputs:
    """Inputs from a JSON object: `argument` itself, `@path` to read it, `@-` or `-` for stdin."""
    try:
        inputs = json.loads(_json_text(argument))
    except ValueError as error:
        raise RequestError(f"--json is not valid JSON: {error}.") from None
    if not isinstance(inputs, dict):
        raise RequestError(
            '--json takes one object of inputs, such as {"prompt": "a red bicycle"}.'
        )
    types = _input_types(contract)
    _refuse_unknown(inputs, types)
    for name, value in inputs.items():
        if types[name] == "array" and isinstance(value, list):
            inputs[name] = [_file_or_value(name, entry) for entry in value]
        elif types[name] == FILE:
            inputs[name] = _file_or_value(name, value)
    return inputs


def _input_types(contract: str) -> dict[str, str]:
    """Name -> JSON type of each input, or FILE; an enum's stands in the schema it refers to."""
    schemas = json.loads((PROJECT / CONTRACTS[contract]).read_text())["components"]["schemas"]
    types = {}
    properties = schemas["Input"]["properties"]
    for name, field in sorted(properties.items(), key=lambda entry: entry[1]["x-order"]):
        reference = field["allOf"][0]["$ref"] if "allOf" in field else None
        kind = (schemas[reference.split("/")[-1]] if reference else field)["type"]
        types[name] = FILE if field.get("format") == "uri" else kind
    return types


def _refuse_unknown(inputs: Inputs, types: dict[str, str]) -> None:
    # Cog's server drops unknown inputs without a word, so a typing error would cost a picture.
    unknown = [name for name in inputs if name not in types]
    if unknown:
        raise RequestError(f"There is no input {unknown[0]!r}; there are: {', '.join(types)}.")


def _cast(name: str, values: list[str], kind: str) -> object:
    if kind == "array":
        return [_file_or_value(name, entry) for entry in _entries(values)]
    if len(values) > 1:
        raise RequestError(f"{name} is given {len(values)} times; it takes one value.")
    if kind == FILE:
        return _file_or_value(name, values[0])
    if values[0].startswith("@"):
        raise RequestError(f"{name} is not read from a file; only input_images takes @path.")
    if kind == "integer":
        try:
            return int(values[0])
        except ValueError:
            raise RequestError(f"{name} takes a whole number, not {values[0]!r}.") from None
    return values[0]


def _entries(values: list[str]) -> list[object]:
    if len(values) == 1 and values[0].startswith("["):
        try:
            entries = json.loads(values[0])
        except ValueError as error:
            raise RequestError(f"The list is not valid JSON: {error}.") from None
        return list(entries)
    return list(values)


def _file_or_value(name: str, entry: object) -> object:
    if not isinstance(entry, str):
        return entry
    if not entry.startswith("@"):
        if ":" not in entry:
            raise RequestError(
                f"{name} takes URLs, data URIs, and files with an @ before them; "
                f"did you mean {name}=@{entry}?"
            )
        return entry
    path = Path(entry[1:]).expanduser()
    try:
        return data_uris.of_file(path)
    except OSError as error:
        raise RequestError(f"Cannot read {path}: {error.strerror}.") from None


def _json_text(argument: str) -> str:
    if argument in {"-", "@-"}:
        return sys.stdin.read()
    if argument.startswith("@"):
        return _read(Path(argument[1:]).expanduser()).decode()
    return argument


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"Cannot read {path}: {error.strerror}.") from None


def _unquoted(value: str) -> str:
    # Cog drops one pair of double quotes that the shell has left.
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        return value[1:-1]
    return value
