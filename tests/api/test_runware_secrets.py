"""A Runware caller's key is found nowhere: not at rest, not in any answer, webhook or log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.servers import get
from dev.servers.api import Api, api_before
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.kept import Kept
from tests.api.runware_caller import RunwareCaller, inference, task
from tests.api.test_secrets_at_rest import PROMPT_CANARY
from tests.support.loopback import Webhooks, upload_receiver
from tests.support.sandbox_client import Sandbox

KEY = "runware-canary-7c0e2a9f4d6b81c35e90"
IN_ADDRESSES = "signature-canary-51d2"


@pytest.fixture
def own_api(cog_behind: CogBehind, own_kept: Kept, tmp_path: Path) -> Iterator[Api]:
    """An API whose every file is this test's, and whose first tenant has the canary for a token."""
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED, "API_TOKEN": KEY} | own_kept.settings
    behind = cog_behind
    with api_before(
        behind.server, behind.worker_port, tmp_path, behind.outputs, **settings
    ) as running:
        yield running


@pytest.mark.long
def test_a_callers_key_is_nowhere(
    own_api: Api, own_kept: Kept, sandbox: Sandbox, webhooks: Webhooks, tmp_path: Path
) -> None:
    runware = RunwareCaller(own_api.url, KEY)
    key = {"taskType": "authentication", "apiKey": KEY}
    answers = []
    with upload_receiver() as uploads, runware.socket(f"?token={KEY}") as socket:
        for what in ("", "[sandbox:moderation]", "[sandbox:key-rejected]"):
            asked = inference(
                f"{PROMPT_CANARY} {what}",
                deliveryMethod="async",
                webhookURL=f"{webhooks.url}?key={IN_ADDRESSES}",
                uploadEndpoint=f"{uploads.url}/picture?key={IN_ADDRESSES}",
                apiKey=KEY,
            )
            answers.append(runware.post(key, asked).text)
            answers.append(str(runware.ended(asked["taskUUID"])))
            about = {"taskType": "getTaskDetails", "taskUUID": asked["taskUUID"]}
            answers.append(runware.post(about).text)
            assert own_kept.places_with(KEY, tmp_path) == []
        socket.send(key, inference(PROMPT_CANARY, apiKey=KEY, width=17), {KEY: KEY})
        answers += map(str, socket.frames(3))
        webhooks.wait_for(lambda _: len(webhooks.bodies) == 3)
    answers.append(runware.post(task("accountManagement", operation="getDetails")).text)
    answers.append(runware.post({**key, "apiKey": f"{KEY}-wrong"}, task("modelSearch")).text)
    answers.append(str(webhooks.bodies))
    answers.append(get(f"http://127.0.0.1:{own_api.metrics_port}/metrics")[1].decode())
    assert own_api.server
    own_api.stop()
    answers.append(own_api.server.log)

    for canary in (KEY, IN_ADDRESSES):
        assert canary not in "".join(answers)
    assert own_kept.places_with(KEY, tmp_path) == []
    assert PROMPT_CANARY not in own_api.server.log
