"""Webhooks pass the verifiers of the clients, as a receiver would use them."""

import json
import time

import pytest

from tests.api.clients.published import MODEL, Client, Server
from tests.support.loopback import Answer, Received, StandIn, stand_in

pytestmark = pytest.mark.clients

CREATE_IN_PYTHON = """
prediction = replicate.predictions.create(
    model=given["model"], input={"prompt": "A fox \\u732b, caf\\u00e9"},
    webhook=given["webhook"], webhook_events_filter=["start", "completed"],
)
tell([prediction.id, replicate.webhooks.default.secret().key])
"""


def completed(receiver: StandIn, within: float = 60) -> Received:
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        for request in list(receiver.requests):
            if json.loads(request.body)["status"] == "succeeded":
                return request
        time.sleep(0.02)
    raise AssertionError(receiver.requests)


def test_python_validates_a_webhook_and_refuses_a_forged_one(
    python_1: Client, server: Server
) -> None:
    with stand_in() as receiver:
        receiver.answer = lambda _: Answer()
        id, secret = python_1.run(
            CREATE_IN_PYTHON, server, model=MODEL, webhook=f"{receiver.root}/hook"
        )
        came = completed(receiver)
    assert json.loads(receiver.requests[0].body)["status"] == "processing"
    assert json.loads(came.body)["id"] == id
    told = python_1.run(
        """
        from replicate.webhook import (
            InvalidSignatureError, Webhooks, WebhookSigningSecret,
        )
        secret = WebhookSigningSecret(key=given["secret"])
        Webhooks.validate(headers=given["headers"], body=given["body"], secret=secret)
        try:
            Webhooks.validate(headers=given["headers"], body=given["body"] + " ", secret=secret)
        except InvalidSignatureError:
            tell("forged")
        """,
        server,
        secret=secret,
        headers=dict(came.headers),
        body=came.body.decode(),
    )
    assert told == "forged"


@pytest.mark.parametrize("body", ["given.body", "JSON.parse(given.body)"], ids=["raw", "parsed"])
def test_javascript_validates_a_webhook_and_refuses_a_forged_one(
    body: str, javascript: Client, server: Server
) -> None:
    with stand_in() as receiver:
        receiver.answer = lambda _: Answer()
        secret = javascript.run(
            """
            import Replicate from "replicate";
            const auth = env.REPLICATE_API_TOKEN;
            const replicate = new Replicate({ auth, baseUrl: env.REPLICATE_BASE_URL });
            await replicate.predictions.create({
                model: given.model, input: { prompt: "A fox \\u732b, caf\\u00e9 \\u2028" },
                webhook: given.webhook, webhook_events_filter: ["completed"],
            });
            tell((await replicate.webhooks.default.secret.get()).key);
            """,
            server,
            model=MODEL,
            webhook=f"{receiver.root}/hook",
        )
        came = completed(receiver)
    told = javascript.run(
        """
        import { validateWebhook } from "replicate";
        const of = (name) => given.headers[`webhook-${name}`];
        const [id, timestamp, signature] = ["id", "timestamp", "signature"].map(of);
        const body = BODY;
        const forged = typeof body === "string" ? body + " " : { ...body, error: "x" };
        const validate = (body) =>
            validateWebhook({ id, timestamp, signature, body, secret: given.secret });
        tell([await validate(body), await validate(forged)]);
        """.replace("BODY", body),
        server,
        secret=secret,
        headers=dict(came.headers),
        body=came.body.decode(),
    )
    assert told == [True, False]
