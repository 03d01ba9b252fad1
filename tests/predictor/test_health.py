"""The health check answers from what is known, at once."""

import time
from collections.abc import Iterator

import pytest

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def own(sandbox_process: Server) -> Iterator[Cog]:
    """A predictor whose health no other test has touched."""
    environment = {
        "OPENAI_API_KEY": "test-key-operator",
        "OPENAI_BASE_URL": sandbox_process.url,
    }
    with predictor_server(**environment) as server:
        yield Cog(server.url)


@pytest.mark.parametrize("fault", ["key-rejected", "organization-not-verified", "quota"])
def test_the_operators_rejected_credential_is_unhealthy_until_it_works_again(
    own: Cog, fault: str
) -> None:
    assert own.health()["status"] == "READY"

    own.predict(prompt=f"A lighthouse [sandbox:{fault}]")
    sick = own.health()
    assert sick["status"] == "UNHEALTHY"
    assert "OPENAI_API_KEY" in str(sick) or "verified" in str(sick)
    assert "test-key-operator" not in str(sick)

    assert own.predict().status == "succeeded"
    assert own.health()["status"] == "READY"


def test_a_callers_rejected_key_is_the_callers_affair(own: Cog) -> None:
    prediction = own.predict(
        prompt="A lighthouse [sandbox:key-rejected]", openai_api_key="test-key-caller"
    )

    assert prediction.error.startswith("KeyRejected: ")
    assert "openai_api_key" in prediction.error
    assert own.health()["status"] == "READY"


def test_a_passing_failure_of_the_upstream_is_not_the_credentials(own: Cog) -> None:
    own.predict(prompt="A lighthouse [sandbox:502-html]")
    own.predict(prompt="A lighthouse [sandbox:moderation]")
    assert own.health()["status"] == "READY"


def test_the_health_check_takes_no_time_and_asks_nobody(own: Cog, sandbox: Sandbox) -> None:
    started = time.monotonic()
    for _ in range(20):
        own.health()
    assert time.monotonic() - started < 20
    assert sandbox.requests == []
