"""README's table of prices is what the token formula and the price list give."""

import pytest

from dev.cost import QUALITIES, of_one_picture
from gpt_image.request import SIZES
from tests.support.generated_docs import assert_documented, table


def landscape(size: str) -> tuple[int, int]:
    """The larger edge first: a portrait costs the same."""
    width, height = map(int, size.split("x"))
    return max(width, height), min(width, height)


@pytest.mark.docs
def test_the_readme_prices_every_size_and_quality() -> None:
    sizes = sorted({landscape(size) for size in SIZES.values() if size != "auto"})
    rows = []
    for width, height in sizes:
        prices = [of_one_picture(f"{width}x{height}", quality) for quality in QUALITIES]
        assert prices == [of_one_picture(f"{height}x{width}", quality) for quality in QUALITIES]
        shape = f"{width}x{height}" + ("" if width == height else f", {height}x{width}")
        rows.append((shape, *(f"${price:.3f}" for price in prices)))
    assert_documented("README.md", "prices", table(("size", *QUALITIES), rows))


@pytest.mark.parametrize(
    ("size", "published"),
    [("1024x1024", [0.006, 0.053, 0.211]), ("1536x1024", [0.005, 0.041, 0.165])],
)
def test_the_prices_of_openais_guide_come_out(size: str, published: list[float]) -> None:
    assert [round(of_one_picture(size, quality), 3) for quality in QUALITIES] == published
