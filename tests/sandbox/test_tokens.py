"""The sandbox bills what OpenAI was seen to bill."""

import pytest

from sandbox.job import Size, Usage
from sandbox.tokens import cost_usd, image_tokens


def test_the_cost_of_a_known_request_is_the_known_one() -> None:
    assert cost_usd(Usage(text=456, image=361, output=1372)) == pytest.approx(0.046328)


def test_input_tokens_stay_between_the_counts_seen_live() -> None:
    assert image_tokens(Size(4000, 4000)) == 1521
    for size in (Size(1, 1), Size(512, 512), Size(8000, 40), Size(200_000, 1)):
        assert image_tokens(size) in range(1024, 1522)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((1800, 2400), 1452), ((3024, 4032), 1452), ((1920, 1080), 1508), ((1080, 1920), 1508)],
)
def test_an_image_is_shrunk_to_whole_patches(size: tuple[int, int], tokens: int) -> None:
    assert image_tokens(Size(*size)) == tokens
