"""From an answer's `usage` to the log lines and metrics that Replicate's model has."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import genai_prices

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Usage:
    """Token counts; None where the upstream did not say."""

    input_tokens: int | None
    input_text_tokens: int | None
    input_image_tokens: int | None
    output_tokens: int | None

    @classmethod
    def from_answer(cls, usage: Mapping[str, Any]) -> Self:
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, dict) else {}
        return cls(
            input_tokens=_count(usage.get("input_tokens")),
            input_text_tokens=_count(details.get("text_tokens")),
            input_image_tokens=_count(details.get("image_tokens")),
            output_tokens=_count(usage.get("output_tokens")),
        )

    def cost_usd(self, model: str) -> float | None:
        """Dollars at list price, or None where the price or a count is not known.

        Image input tokens are given apart: otherwise genai-prices bills them as text (seen on
        genai-prices 0.2.3). An upper bound, since the API does not report cached tokens.
        """
        if None in (self.input_tokens, self.input_image_tokens, self.output_tokens):
            return None
        counts = genai_prices.Usage(
            input_tokens=self.input_tokens,
            input_image_tokens=self.input_image_tokens,
            output_tokens=self.output_tokens,
        )
        try:
            price = genai_prices.calc_price(counts, model, provider_id="openai").total_price
        except LookupError:
            return None
        return float(price)

    def log_lines(self) -> list[str]:
        """Replicate's lines, word for word; a last one names the counts that are missing."""
        counts = {
            "Input text token count": self.input_text_tokens,
            "Input image token count": self.input_image_tokens,
            "Output token count": self.output_tokens,
        }
        lines = [f"{name}: {count}" for name, count in counts.items() if count is not None]
        missing = [name for name, count in counts.items() if count is None]
        if missing:
            lines.append(f"The upstream did not send: {', '.join(missing)}")
        return lines

    def metrics(self, model: str) -> dict[str, int | float]:
        """Ours and Replicate's names (`token_input_count`, `token_output_count`)."""
        metrics: dict[str, int | float | None] = {
            "input_text_token_count": self.input_text_tokens,
            "input_image_token_count": self.input_image_tokens,
            "output_token_count": self.output_tokens,
            "token_input_count": self.input_tokens,
            "token_output_count": self.output_tokens,
            "cost_usd": self.cost_usd(model),
        }
        return {name: value for name, value in metrics.items() if value is not None}


def check_price(model: str) -> None:
    """Say it once, at start, where no price is known; also loads the prices."""
    if Usage(1, 1, 0, 1).cost_usd(model) is None:
        log.warning("No price is known for %s; the metric cost_usd is left out.", model)


def _count(value: object) -> int | None:
    # bool is an int in Python, and a gateway's "12" or -1 is no count.
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
