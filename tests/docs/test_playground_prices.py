"""The figures of the page at `/` are the predictor's own; `make docs` writes them anew."""

import json
import os
from typing import Any

import pytest

from dev.servers import PROJECT
from gpt_image.models.table import OFFERED
from gpt_image.request import SIZES
from gpt_image.usage import Prices
from sandbox.models import model_of

FIGURES = PROJECT / "api" / "playground" / "static" / "prices.json"

# Tokens of 2.6 are only reported, so nothing is promised of it.
MODELS = [name for name in OFFERED if not name.startswith("gpt-image-2.6")]
# Seconds that people reported in 2026: about 15, about 26, and 80 to 280.
USUAL_SECONDS = {"low": [15, 15], "medium": [26, 26], "high": [80, 280]}
# The least and the most that were counted live for one input image.
INPUT_IMAGE_TOKENS = [1024, 1521]


def model(name: str) -> dict[str, Any]:
    prices = Prices.of(name)
    assert prices
    return {
        # What the formula counts with, by quality; it fits every published price.
        "steps": dict(model_of(name).quality_steps),
        "dollars": {"input": prices.image_in, "output": prices.image_out},
    }


def figures() -> dict[str, Any]:
    return {
        "sizes": SIZES,
        "input_image_tokens": INPUT_IMAGE_TOKENS,
        "usual_seconds": USUAL_SECONDS,
        "models": {name: model(name) for name in MODELS},
    }


@pytest.mark.docs
def test_the_page_has_the_predictors_sizes_and_prices() -> None:
    expected = json.dumps(figures(), indent=1) + "\n"
    if os.environ.get("UPDATE_DOCS"):
        FIGURES.write_text(expected)
    assert FIGURES.read_text() == expected, f"{FIGURES.name} is stale: run `make docs`"
