"""A sandbox that makes only so many images a minute, as OpenAI does for small accounts."""

from collections.abc import Iterator

import pytest

from dev.servers import sandbox_server
from tests.sandbox.conftest import Api


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with sandbox_server(SANDBOX_IMAGES_PER_MINUTE="5", SANDBOX_PRERENDERED="true") as server:
        yield Api(server.url)


def test_one_image_too_many_is_told_when_to_come_again_and_another_key_is_served(api: Api) -> None:
    assert [api.generate(n=n).status_code for n in (3, 2)] == [200, 200]

    refused = api.generate()
    error = refused.json()["error"]
    assert refused.status_code == 429
    assert error["code"] == "rate_limit_exceeded"
    assert (
        "on input-images per min: Limit 5, Used 5, Requested 1. Please try again in"
        in (error["message"])
    )
    assert 0 < int(refused.headers["retry-after"]) <= 12
    assert not api.ledger()[-1]["billed"]

    api.http.headers["Authorization"] = "Bearer test-key-another"
    assert api.generate().status_code == 200


def test_more_than_a_minute_ever_has_is_refused_for_good(api: Api) -> None:
    error = api.generate(n=6).json()["error"]

    assert "Limit 5, Requested 6. You can increase your rate limit" in error["message"]
