"""The sandbox bills what OpenAI was seen to bill."""

import pytest

from sandbox.job import Size, Usage
from sandbox.tokens import cost_usd, output_tokens
from tests.sandbox.conftest import Api

PUBLISHED = [
    (1024, 1024, (196, 1756, 7024)),
    (1536, 1024, (158, 1372, 5488)),
    (1024, 1536, (158, 1372, 5488)),
    (2048, 2048, (397, 3568, 14272)),
    (3840, 2160, (371, 3336, 13342)),
    (2160, 3840, (371, 3336, 13342)),
    (768, 1024, (134, None, None)),
    (896, 896, (180, None, None)),
    (960, 960, (187, None, None)),
    (3072, 2160, (380, None, None)),
]


@pytest.mark.parametrize(("width", "height", "counts"), PUBLISHED)
def test_output_tokens_are_the_published_ones(
    width: int, height: int, counts: tuple[int | None, ...]
) -> None:
    for quality, count in zip(("low", "medium", "high"), counts, strict=True):
        if count is not None:
            assert output_tokens(Size(width, height), quality) == count


def test_usage_adds_up_over_the_images(api: Api) -> None:
    usage = api.generate(n=3, size="1536x1024", quality="medium").json()["usage"]
    assert usage["output_tokens"] == 3 * 1372
    assert usage["output_tokens_details"] == {"image_tokens": 3 * 1372, "text_tokens": 0}
    assert usage["total_tokens"] == usage["input_tokens"] + 3 * 1372
    assert usage["input_tokens_details"]["image_tokens"] == 0


def test_the_cost_of_a_known_request_is_the_known_one() -> None:
    assert cost_usd(Usage(text=456, image=361, output=1372)) == pytest.approx(0.046328)
