"""The estimate: what the sandbox then bills, and what is said where that cannot be known."""

from typing import Any

import pytest

from dev.cost import estimate
from dev.data_uris import data_uri
from tests.support.cog_client import Cog, picture

CERTAIN: list[dict[str, Any]] = [
    {"quality": "low"},
    {"quality": "high", "aspect_ratio": "3:2", "number_of_images": 3},
    {"quality": "medium", "input_images": [data_uri(picture(size=(1024, 1024)))]},
]


@pytest.mark.parametrize("inputs", CERTAIN, ids=str)
def test_it_is_what_the_sandbox_bills(cog: Cog, inputs: dict[str, Any]) -> None:
    inputs = {"prompt": "A lighthouse at dusk"} | inputs
    found = estimate(inputs)

    assert found
    assert found.low == found.high == pytest.approx(cog.predict(**inputs).metrics["cost_usd"])


def test_it_is_a_range_where_the_model_chooses(cog: Cog) -> None:
    found = estimate({"prompt": "x"})

    assert found
    assert found.low <= cog.predict(prompt="x").metrics["cost_usd"] <= found.high
    assert str(found) == "about $0.0059 to $0.2107 for 1 image"


def test_it_names_the_inputs_that_it_cannot_see() -> None:
    urls = ["https://images.example/a.png", "https://images.example/b.png"]
    found = estimate({"prompt": "x", "quality": "low", "input_images": urls})
    assert str(found).endswith(" for 1 image, and the tokens of 2 input images")


def test_there_is_none_for_a_model_without_a_price() -> None:
    assert estimate({"prompt": "x"}, "my-model") is None
