"""From an answer's `usage` to the log lines and metrics that Replicate's model has."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import genai_prices

from gpt_image.models.table import MODELS

_MILLION = 1_000_000


@dataclass(frozen=True)
class SvgUsage:
    """Tokens of the model that wrote an svg, billed apart from those of the picture."""

    author: str
    input_tokens: int
    output_tokens: int

    @classmethod
    def from_answer(cls, usage: Mapping[str, Any]) -> Self | None:
        author = usage.get("model")
        read, written = (_count(usage.get(name)) for name in ("input_tokens", "output_tokens"))
        if not isinstance(author, str) or read is None or written is None:
            return None
        return cls(author, read, written)

    @property
    def cost(self) -> float | None:
        """Dollars, or None where no price is known."""
        counts = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        try:
            return _price(self.author, **counts)
        except LookupError:
            return None


@dataclass(frozen=True)
class Usage:
    """Token counts; None where the upstream did not say."""

    input_tokens: int | None
    input_text_tokens: int | None
    input_image_tokens: int | None
    output_tokens: int | None
    output_text_tokens: int | None = None
    """Those of `output_tokens` that are no image; few models report any."""
    svg: SvgUsage | None = None

    @classmethod
    def from_answer(
        cls, usage: Mapping[str, Any], svg_usage: Mapping[str, Any] | None = None
    ) -> Self:
        """Both as the upstream wrote them; the second is in answers with an svg."""
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
            svg=SvgUsage.from_answer(svg_usage) if svg_usage else None,
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
        if self.svg:
            written = self.svg.input_tokens + self.svg.output_tokens
            lines.append(f"SVG author token count: {written}")
        return lines

    def unpriced(self, model: str) -> list[str]:
        """Why cost_usd is left out where that is for want of a price, in one line."""
        if Prices.of(model) is None:
            return [no_price(model)]
        return [no_price("the author of the svg")] if self.svg and self.svg.cost is None else []

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

    @staticmethod
    @cache
    def of(model: str) -> "Prices | None":
        """The table's or genai-prices', asked once because that takes 0.4 ms; None without any."""
        row = MODELS.get(model)
        if row and row.prices:
            listed = row.prices
            return Prices(
                text_in=listed.text_in / _MILLION,
                image_in=listed.image_in / _MILLION,
                text_out=listed.text_out / _MILLION,
                image_out=listed.image_out / _MILLION,
            )
        try:
            return Prices(
                text_in=_dollars(model, input_tokens=_MILLION),
                text_out=_dollars(model, output_tokens=_MILLION),
                # Given apart, or image tokens are priced as text (seen on genai-prices 0.2.3).
                image_in=_dollars(model, input_tokens=_MILLION, input_image_tokens=_MILLION),
                image_out=_dollars(model, output_tokens=_MILLION, output_image_tokens=_MILLION),
            )
        except LookupError:
            return None

    def cost(self, used: Usage) -> float | None:
        """Dollars, or None where the upstream left out a count, or an svg's author has no price."""
        total, image, out = used.input_tokens, used.input_image_tokens, used.output_tokens
        if total is None or image is None or out is None:
            return None
        text_out = min(used.output_text_tokens or 0, out)
        svg = used.svg.cost if used.svg else 0.0
        if svg is None:
            return None
        return (
            svg
            + (total - image) * self.text_in
            + image * self.image_in
            + text_out * self.text_out
            + (out - text_out) * self.image_out
        )


def no_price(model: str) -> str:
    """The line that says so."""
    return f"No price is known for {model}; the metric cost_usd is left out."


def _dollars(model: str, **tokens: int) -> float:
    return _price(model, **tokens) / _MILLION


def _price(model: str, **tokens: int) -> float:
    counts = genai_prices.Usage(**tokens)
    return float(genai_prices.calc_price(counts, model, provider_id="openai").total_price)


def _count(value: object) -> int | None:
    # bool is an int in Python, and a gateway's "12" or -1 is no count.
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
