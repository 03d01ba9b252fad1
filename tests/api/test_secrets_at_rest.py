"""A caller's key is found nowhere but at the upstream: not at rest, not in any answer or log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.sealing import Keyring, NotOpened
from dev.servers import get
from dev.servers.api import Api, api_before
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller
from tests.support.loopback import Webhooks
from tests.support.sandbox_client import Sandbox

CANARY = "sk-canary-4af1f2c0d2b94b0ab7b1"
PROMPT_CANARY = "a secret lighthouse 91b7cc1d"


@pytest.fixture
def own_api(cog_behind: CogBehind, own_kept: Kept, tmp_path: Path) -> Iterator[Api]:
    """An API whose every file is this test's."""
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED} | own_kept.settings
    behind = cog_behind
    with api_before(
        behind.server, behind.worker_port, tmp_path, behind.outputs, **settings
    ) as running:
        yield running


def test_a_callers_key_is_nowhere(
    own_api: Api, own_kept: Kept, sandbox: Sandbox, webhooks: Webhooks, tmp_path: Path
) -> None:
    caller = ReplicateCaller(own_api.url, own_api.token)
    answers = []
    for what in ("", "[sandbox:slow seconds=1]", "[sandbox:key-rejected]"):
        body = {
            "input": {"prompt": f"{PROMPT_CANARY} {what}", "openai_api_key": CANARY},
            "webhook": webhooks.url,
            "webhook_events_filter": ["start", "logs", "completed"],
        }
        answer = caller.create(body=body)
        assert answer.status_code == 201
        assert answer.json()["input"]["openai_api_key"] == "[REDACTED]"
        id = answer.json()["id"]
        assert own_kept.places_with(CANARY, tmp_path) == []
        answers += [answer.text, str(caller.ended(id))]
    refused = caller.create(body={"input": {"prompt": 1, "openai_api_key": [CANARY]}})
    assert refused.status_code == 422
    webhooks.wait_for_count(3)

    assert sandbox.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    answers += [refused.text, str(webhooks.bodies), caller.get("predictions").text]
    answers.append(get(f"http://127.0.0.1:{own_api.metrics_port}/metrics")[1].decode())
    assert own_api.server
    own_api.stop()
    answers.append(own_api.server.log)
    assert CANARY not in "".join(answers)
    assert own_kept.places_with(CANARY, tmp_path) == []
    assert PROMPT_CANARY not in own_api.server.log


def test_secrets_leave_the_database_with_the_end(
    own_api: Api, own_kept: Kept, sandbox: Sandbox, tmp_path: Path
) -> None:
    caller = ReplicateCaller(own_api.url, own_api.token)
    created = caller.created("[sandbox:slow seconds=2]", input={"openai_api_key": CANARY})

    def sealed() -> bytes | None:
        ((secret,),) = own_kept.rows(tmp_path, "SELECT secrets FROM predictions")
        assert secret is None or isinstance(secret, bytes)
        return secret

    assert sealed()
    caller.ended(created["id"])
    assert sealed() is None


def test_what_is_sealed_opens_for_its_own_row_alone() -> None:
    keyring = Keyring([b"k" * 32])
    sealed = keyring.seal(CANARY, "one")

    assert keyring.open(sealed, "one") == CANARY
    with pytest.raises(NotOpened):
        keyring.open(sealed, "another")


def test_an_older_key_still_opens_and_a_removed_one_does_not() -> None:
    sealed = Keyring([b"a" * 32]).seal(CANARY, "row")

    assert Keyring([b"b" * 32, b"a" * 32]).open(sealed, "row") == CANARY
    with pytest.raises(NotOpened):
        Keyring([b"b" * 32]).open(sealed, "row")
