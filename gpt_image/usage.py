"""From an answer's `usage` to the log lines and metrics that Replicate's model has."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import genai_prices

log = logging.getLogger(__name__)

_MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """Token counts; None where the upstream did not say."""

    input_tokens: int | None
    input_text_tokens: int | None
    input_image_tokens: int | None
    output_tokens: int | None
    output_text_tokens: int | None = None
    """Those of `output_tokens` that are no image; few models report any."""

    @classmethod
    def from_answer(cls, usage: Mapping[str, Any]) -> Self:
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, dict) else {}
        made = usage.get("output_tokens_details")
        made = made if isinstance(made, dict) else {}
        return cls(
            input_tokens=_count(usage.get("input_tokens")),
            input_text_tokens=_count(details.get("text_tokens")),
            input_image_tokens=_count(details.get("image_tokens")),
            output_tokens=_count(usage.get("output_tokens")),
            output_text_tokens=_count(made.get("text_tokens")),
        )

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

    def metrics(self, prices: "Prices | None") -> dict[str, int | float]:
        """By our names and by Replicate's (`token_input_count`, `token_output_count`)."""
        metrics: dict[str, int | float | None] = {
            "input_text_token_count": self.input_text_tokens,
            "input_image_token_count": self.input_image_tokens,
            "output_token_count": self.output_tokens,
            "token_input_count": self.input_tokens,
            "token_output_count": self.output_tokens,
            "cost_usd": prices.cost(self) if prices else None,
        }
        return {name: value for name, value in metrics.items() if value is not None}


@dataclass(frozen=True)
class Prices:
    """List prices in dollars per token. The API does not report cached tokens, which cost less."""

    text_in: float
    image_in: float
    text_out: float
    image_out: float

    @classmethod
    def of(cls, model: str) -> Self | None:
        """genai-prices' prices, asked once because it takes 0.4 ms; None where it knows none."""
        try:
            return cls(
                text_in=_dollars(model, input_tokens=_MILLION),
                text_out=_dollars(model, output_tokens=_MILLION),
                # Given apart, or image tokens are priced as text (seen on genai-prices 0.2.3).
                image_in=_dollars(model, input_tokens=_MILLION, input_image_tokens=_MILLION),
                image_out=_dollars(model, output_tokens=_MILLION, output_image_tokens=_MILLION),
            )
        except LookupError:
            log.warning("No price is known for %s; the metric cost_usd is left out.", model)
            return None

    def cost(self, used: Usage) -> float | None:
        """Dollars, or None where the upstream left out a count."""
        total, image, out = used.input_tokens, used.input_image_tokens, used.output_tokens
        if total is None or image is None or out is None:
            return None
        text_out = min(used.output_text_tokens or 0, out)
        return (
            (total - image) * self.text_in
            + image * self.image_in
            + text_out * self.text_out
            + (out - text_out) * self.image_out
        )


def _dollars(model: str, **tokens: int) -> float:
    counts = genai_prices.Usage(**tokens)
    price = genai_prices.calc_price(counts, model, provider_id="openai").total_price
    return float(price) / _MILLION


def _count(value: object) -> int | None:
    # bool is an int in Python, and a gateway's "12" or -1 is no count.
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
