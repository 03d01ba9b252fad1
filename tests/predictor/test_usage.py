"""From an answer's token counts to dollars, by list prices."""

import pytest

from gpt_image.usage import Prices, Usage

# Dollars per million tokens: text in, image in, text out, image out. The prices of OpenAI's model
# pages as of 2026-11-21 (OpenAI Images API facts, additions of that day, section 5).
LIST_PRICES = {
    "gpt-image-2": (5, 8, 30, 30),
    "gpt-image-2-2026-04-21": (5, 8, 30, 30),
    "gpt-image-2.5-flare": (5, 8, 30, 30),
    "gpt-image-1.5": (5, 8, 10, 32),
    "chatgpt-image-latest": (5, 8, 10, 32),
    "gpt-image-1-mini": (2, 2.5, 8, 8),
}


def usage(**counts: object) -> Usage:
    return Usage.from_answer(
        {
            "input_tokens": 1_000_000,
            "input_tokens_details": {"text_tokens": 400_000, "image_tokens": 600_000},
            "output_tokens": 1_000_000,
            **counts,
        }
    )


@pytest.mark.parametrize("model", LIST_PRICES)
def test_each_kind_of_token_has_its_price(model: str) -> None:
    text_in, image_in, text_out, image_out = LIST_PRICES[model]
    prices = Prices.of(model)
    assert prices

    assert prices.cost(usage()) == pytest.approx(0.4 * text_in + 0.6 * image_in + image_out)
    details = {"text_tokens": 250_000, "image_tokens": 750_000}
    assert prices.cost(usage(output_tokens_details=details)) == pytest.approx(
        0.4 * text_in + 0.6 * image_in + 0.25 * text_out + 0.75 * image_out
    )


@pytest.mark.parametrize("details", [None, [], {"text_tokens": "12"}, {"text_tokens": -1}])
def test_output_without_readable_details_is_all_image(details: object) -> None:
    prices = Prices.of("gpt-image-1.5")
    assert prices
    assert prices.cost(usage(output_tokens_details=details)) == prices.cost(usage())


def test_more_text_than_there_was_output_costs_no_less_than_text() -> None:
    prices = Prices.of("gpt-image-1.5")
    assert prices
    details = {"text_tokens": 9_000_000}
    assert prices.cost(usage(output_tokens_details=details)) == pytest.approx(2 + 4.8 + 10)


@pytest.mark.parametrize("missing", ["input_tokens", "input_tokens_details", "output_tokens"])
def test_without_a_count_there_is_no_cost(missing: str) -> None:
    prices = Prices.of("gpt-image-2")
    assert prices
    assert prices.cost(usage(**{missing: None})) is None


def test_a_model_without_a_price_has_none() -> None:
    assert Prices.of("my-model") is None
