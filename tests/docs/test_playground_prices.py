"""The figures of the page at `/` are the predictor's own; `make docs` writes them anew."""

import json
import os
from typing import Any

import pytest

from dev.cost import QUALITIES, of_one_picture
from dev.servers import PROJECT
from gpt_image.request import SIZES
from gpt_image.usage import Prices

FIGURES = PROJECT / "api" / "playground" / "static" / "prices.json"
MODEL = "gpt-image-2"

# Patches on the shorter edge of a square picture (live probes of 2026-04-28; the published prices).
STEPS = {"low": 16, "medium": 48, "high": 96}
# Seconds that people reported in 2026: about 15, about 26, and 80 to 280.
USUAL_SECONDS = {"low": [15, 15], "medium": [26, 26], "high": [80, 280]}
# The least and the most that were counted live for one input image.
INPUT_IMAGE_TOKENS = [1024, 1521]


def figures() -> dict[str, Any]:
    prices = Prices.of(MODEL)
    assert prices
    return {
        "models": {
            MODEL: {
                "sizes": SIZES,
                "steps": STEPS,
                "dollars": {"input": prices.image_in, "output": prices.image_out},
                "input_image_tokens": INPUT_IMAGE_TOKENS,
                "usual_seconds": USUAL_SECONDS,
            }
        }
    }


@pytest.mark.docs
def test_the_page_has_the_predictors_sizes_and_prices() -> None:
    expected = json.dumps(figures(), indent=2) + "\n"
    if os.environ.get("UPDATE_DOCS"):
        FIGURES.write_text(expected)
    assert FIGURES.read_text() == expected, f"{FIGURES.name} is stale: run `make docs`"


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_steps_give_the_price_of_a_square(quality: str) -> None:
    told = figures()["models"][MODEL]
    tokens = -(-(told["steps"][quality] ** 2) * (2_000_000 + 1024**2) // 4_000_000)
    assert tokens * told["dollars"]["output"] == pytest.approx(of_one_picture("1024x1024", quality))
