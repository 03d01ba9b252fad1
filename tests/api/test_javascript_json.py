"""JSON as JavaScript writes it."""

import json
import math
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.javascript_json import stringify

NUMBERS = [0.0, -0.0, 1.0, 0.1, 1e21, 1e20, 123456789012345680000.0, 1e-6, 1e-7, 1.5e-9, 5e-324]
NUMBERS += [2.0**53, 2**63, -1.5, 100.0, 1.7976931348623157e308, 0.00001, 12345.678]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("7"), inner),
    max_leaves=20,
)


def by_node(texts: list[str]) -> list[str]:
    script = (
        "let s='';process.stdin.on('data',d=>s+=d).on('end',()=>process.stdout.write("
        "JSON.stringify(JSON.parse(s).map(t=>JSON.stringify(JSON.parse(t))))))"
    )
    done = subprocess.run(
        ["node", "-e", script], input=json.dumps(texts).encode(), capture_output=True, check=True
    )
    return list(json.loads(done.stdout))


def test_numbers_and_keys_are_written_as_node_writes_them() -> None:
    values: list[object] = [*NUMBERS, {"b": 1, "10": 2, "a": 3, "9": 4, "007": 5}, "\x7f\x00\u2028"]
    texts = [stringify(value) for value in values]

    assert by_node(texts) == texts


@pytest.mark.long
@settings(max_examples=15)
@given(st.lists(json_values, min_size=20, max_size=60))
def test_whatever_is_written_node_writes_again_the_same(values: list[object]) -> None:
    texts = [stringify(value) for value in values]

    assert by_node(texts) == texts


def test_what_json_has_no_number_for_is_null() -> None:
    assert stringify([math.inf, math.nan]) == "[null,null]"
