"""What holds for every dialect: the same picture for the same money, and no key anywhere."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from dev.servers import get
from dev.servers.api import Api, api_before
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.every_dialect import DIALECTS, TAKING_KEYS, Draw, NoPicture
from tests.api.kept import Kept
from tests.api.replicate_caller import ReplicateCaller
from tests.api.test_secrets_at_rest import CANARY, PROMPT_CANARY
from tests.support.sandbox_client import Sandbox


@pytest.fixture(scope="module")
def own_api(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An API whose every file is this module's."""
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED} | kept.settings
    with api_before(behind.server, behind.worker_port, data, behind.outputs, **settings) as running:
        yield running


def test_the_same_prompt_is_the_same_picture_for_the_same_money(
    own_api: Api, sandbox: Sandbox
) -> None:
    pictures = {
        draw(own_api.url, own_api.token, "One lighthouse for all") for draw in DIALECTS.values()
    }

    assert len(pictures) == 1
    assert pictures.pop().startswith(b"\x89PNG")
    listed = ReplicateCaller(own_api.url, own_api.token).get("predictions").json()["results"]
    assert len(listed) == len(DIALECTS)
    costs = {each["metrics"]["cost_usd"] for each in listed}
    assert len(costs) == 1
    assert costs.pop() > 0
    assert len(sandbox.ledger) == len(DIALECTS)


@pytest.mark.parametrize("draw", TAKING_KEYS.values(), ids=TAKING_KEYS)
def test_a_callers_key_is_nowhere(own_api: Api, kept: Kept, sandbox: Sandbox, draw: Draw) -> None:
    told = []
    for what in ("", "[sandbox:key-rejected]"):
        try:
            draw(own_api.url, own_api.token, f"{PROMPT_CANARY} {what}", key=CANARY)
        except NoPicture as answered:
            told.append(str(answered))
    with suppress(NoPicture):
        draw(own_api.url, "a-stranger", PROMPT_CANARY, key=CANARY)

    assert len(told) == 1
    keys = [request.headers["authorization"] for request in sandbox.requests]
    assert keys == [f"Bearer {CANARY}"] * 2
    told.append(ReplicateCaller(own_api.url, own_api.token).get("predictions").text)
    told.append(get(f"http://127.0.0.1:{own_api.metrics_port}/metrics")[1].decode())
    assert CANARY not in "".join(told)
    assert kept.places_with(CANARY, own_api.data) == []
    assert own_api.server
    log = own_api.server.log
    assert not [secret for secret in (CANARY, PROMPT_CANARY, own_api.token) if secret in log]
