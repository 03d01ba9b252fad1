"""JSON byte for byte as JavaScript's JSON.stringify writes it.

Receivers in JavaScript often have only the parsed body of a webhook left when they check its
signature, and stringify it again.
"""

import json
import math
import re
from decimal import Decimal
from typing import Any

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_INDEX = 2**32 - 2
_SAFE_INTEGER = 2**53


def stringify(value: Any) -> str:  # noqa: ANN401 - JSON
    """The value as text: no white space, raw Unicode, numbers and keys as JavaScript has them."""
    if isinstance(value, dict):
        members = (f"{stringify(name)}:{stringify(value[name])}" for name in _ordered(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(stringify, value)) + "]"
    if isinstance(value, str):
        return _without_lone_surrogates(json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER:
        return str(value)
    return _number(float(value))


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        return "null"
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands, counted from the first digit
    if 0 < point <= 21:
        whole, fraction = text[:point].ljust(point, "0"), text[point:]
        shown = f"{whole}.{fraction}" if fraction else whole
    elif -6 < point <= 0:
        shown = "0." + "0" * -point + text
    else:
        power = f"e{point - 1:+d}"
        shown = (f"{text[0]}.{text[1:]}" if len(text) > 1 else text) + power
    return "-" + shown if sign else shown


def _ordered(value: dict[str, Any]) -> list[str]:
    indexes = [name for name in value if _INDEX.fullmatch(name) and int(name) <= _LARGEST_INDEX]
    return sorted(indexes, key=int) + [name for name in value if name not in set(indexes)]


def _without_lone_surrogates(text: str) -> str:
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)
