"""With OPENAI_STREAM_UPSTREAM the answer comes as events, and means what a plain one means."""

import base64
import json
from collections.abc import Iterator

import pytest

from dev.servers import EXTENDED, predictor_server, sandbox_server
from tests.predictor.test_errors import FAILURES, each_failure
from tests.support.cog_client import Cog, Prediction
from tests.support.loopback import Answer, StandIn
from tests.support.sandbox_client import Sandbox
from tests.support.waiting import HURRY
from tests.support.written_answers import notes, webp

STREAMS = {"OPENAI_STREAM_UPSTREAM": "true"}


@pytest.fixture(scope="module")
def drawn() -> Iterator[Sandbox]:
    with sandbox_server(SANDBOX_RECORD="true", SANDBOX_PRERENDERED="true") as server:
        yield Sandbox(server.root)


@pytest.fixture
def sandbox(drawn: Sandbox) -> Sandbox:
    drawn.forget()
    return drawn


@pytest.fixture(scope="module")
def hurried(drawn: Sandbox) -> Iterator[Cog]:
    """A deadline so short that no fault is waited for."""
    environment = STREAMS | {"OPENAI_DEADLINE_SECONDS": HURRY}
    with predictor_server(OPENAI_PROXY_URL=f"{drawn.root}/v1", **environment) as server:
        yield Cog(server.url)


@pytest.fixture(scope="module")
def streaming(drawn: Sandbox) -> Iterator[Cog]:
    with predictor_server(
        contract=EXTENDED, OPENAI_PROXY_URL=f"{drawn.root}/v1", **STREAMS
    ) as server:
        yield Cog(server.url)


@pytest.fixture(scope="module")
def written(running_stand_in: StandIn) -> Iterator[Cog]:
    """Before an upstream whose events the test writes."""
    with predictor_server(OPENAI_PROXY_URL=f"{running_stand_in.root}/v1", **STREAMS) as server:
        yield Cog(server.url)


@pytest.fixture(scope="module")
def failures(hurried: Cog) -> dict[str, Prediction]:
    return each_failure(hurried)


@pytest.mark.long
@pytest.mark.parametrize(("fault", "name"), [(f, n) for _, f, n in FAILURES], ids=lambda v: v)
def test_a_fault_of_the_upstream_is_the_same_failure_in_a_stream(
    failures: dict[str, Prediction], fault: str, name: str
) -> None:
    assert failures[fault].error.partition(":")[0] == name
    assert failures[fault].metrics["may_have_been_billed"] == (
        name in {"ConnectionLost", "UpstreamTimedOut", "AnswerNotUsable"}
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("moderation_blocked", "ModerationBlocked"),
        ("credit_balance_exhausted", "QuotaExceeded"),
        ("rate_limit_exceeded", "RateLimited"),
        # Work had begun, so nobody knows whether it was billed.
        ("image_generation_failed", "AnswerNotUsable"),
    ],
)
def test_an_error_event_means_what_the_same_refusal_means(
    hurried: Cog, code: str, name: str
) -> None:
    prediction = hurried.predict(prompt=f"A fox [sandbox:event-error code={code}]")

    assert prediction.error.partition(":")[0] == name
    assert prediction.metrics["error_status"] == 200
    assert prediction.metrics["error_code"] == code
    assert prediction.metrics["error_request_id"].startswith("req_")


@pytest.mark.parametrize("number", [1, 3])
def test_a_streamed_answer_is_asked_for_and_gives_what_the_plain_one_gives(
    streaming: Cog, cog: Cog, sandbox: Sandbox, number: int
) -> None:
    inputs = {"number_of_images": number, "aspect_ratio": "3:2", "quality": "medium"}
    streamed, plain = streaming.predict(**inputs), cog.predict(**inputs)

    arguments = sandbox.request.arguments
    assert (arguments["stream"], arguments["partial_images"]) == (True, 0)
    assert [image.size for image in streamed.images] == [(1536, 1024)] * number
    counts = [name for name in plain.metrics if "count" in name or name == "cost_usd"]
    assert len(counts) == 7
    assert {n: streamed.metrics[n] for n in counts} == {n: plain.metrics[n] for n in counts}


@pytest.mark.parametrize(
    ("marker", "images", "note"),
    [
        ("corrupt-base64 image=2", 2, "1 of 3 images were unusable: image 2 has no readable data"),
        ("truncated-image image=2", 2, "1 of 3 images were unusable: image 2 is damaged"),
        ("b64-null image=1", 2, "1 of 3 images were unusable: image 1 has no readable data"),
        ("fewer-images", 2, "1 of 3 images were unusable: image 3 is missing"),
        ("truncated-json", 2, "1 of 3 images were unusable: image 3 is missing"),
        ("url", 3, ""),
        ("url-404-once", 3, ""),
        ("slow-drip seconds=0.2", 3, ""),
        ("keep-alive", 3, ""),
        ("escapes-slashes", 3, ""),
        ("wraps-base64", 3, ""),
        ("no-created", 3, ""),
        ("says-jpg", 3, ""),
        ("no-usage", 3, "The upstream did not send: Input text token count"),
    ],
)
def test_what_came_whole_is_kept(streaming: Cog, marker: str, images: int, note: str) -> None:
    prediction = streaming.predict(prompt=f"A fox [sandbox:{marker}]", number_of_images=3)

    assert len(prediction.images) == images
    assert any(line.startswith(note) for line in prediction.logs)


def test_an_edit_streams_too(streaming: Cog, sandbox: Sandbox, image_url: str) -> None:
    prediction = streaming.predict(input_images=[image_url])

    assert prediction.image.size == (1024, 1024)
    assert sandbox.request.arguments["stream"] == "true"


@pytest.mark.parametrize("output_format", ["gif", "svg"])
def test_what_cannot_stream_is_asked_for_plainly(
    streaming: Cog, sandbox: Sandbox, output_format: str
) -> None:
    prediction = streaming.predict(model="gpt-image-2.6-flare", output_format=output_format)

    assert prediction.status == "succeeded", prediction.body
    assert "stream" not in sandbox.request.arguments


# --- events as gateways write them

DONE = "image_generation.completed"
PARTIAL = "image_generation.partial_image"


def event(name: str, image: bytes | None = None, **fields: object) -> bytes:
    data = {"type": name}
    if image is not None:
        data["b64_json"] = base64.b64encode(image).decode()
    return f"event: {name}\ndata: {json.dumps({**data, **fields})}\n\n".encode()


def plain_answer(image: bytes) -> bytes:
    return json.dumps({"data": [{"b64_json": base64.b64encode(image).decode()}]}).encode()


def stream(upstream: StandIn, *events: bytes) -> None:
    answer = Answer(b"".join(events), headers={"Content-Type": "text/event-stream"})
    upstream.answer = lambda _: answer


WRITTEN = {
    "partial": [event(PARTIAL, webp("red")), event(DONE, webp())],
    "comments": [b": ping\n\n", event("keepalive"), event(DONE, webp()), b"data: [DONE]\n\n"],
    "CRLF": [event(DONE, webp()).replace(b"\n", b"\r\n")],
    "no blank line": [event(DONE, webp()).rstrip()],
    "no event line": [event(DONE, webp()).removeprefix(f"event: {DONE}\n".encode())],
    "broken off": [event(DONE, webp(), usage={"output_tokens": 7})[:-20]],
    "error afterwards": [event(DONE, webp()), event("error", error={"message": "Too late."})],
    "plain answer in an event": [b"data: %b\n\n" % plain_answer(webp())],
    "plain answer": [plain_answer(webp())],
}


@pytest.mark.parametrize("way", WRITTEN)
def test_the_image_is_found_however_the_events_are_written(
    written: Cog, upstream: StandIn, way: str
) -> None:
    stream(upstream, *WRITTEN[way])

    assert written.predict().files == [webp()]


def test_a_partial_image_alone_is_no_image(written: Cog, upstream: StandIn) -> None:
    stream(upstream, event(PARTIAL, webp("red")), event(PARTIAL, webp(), size="1x1")[:-20])

    assert written.predict().error.startswith("AnswerNotUsable: ")


def test_an_upstream_that_does_not_know_streams_is_asked_again_plainly(
    written: Cog, upstream: StandIn
) -> None:
    error = {"message": "Unknown parameter: 'stream'.", "code": "unknown_parameter"}
    refusal = Answer(json.dumps({"error": {**error, "param": "stream"}}).encode(), 400)
    upstream.answer = lambda request: (
        refusal if b'"stream"' in request.body else Answer(plain_answer(webp()))
    )

    prediction = written.predict()

    assert prediction.files == [webp()]
    assert notes(prediction) == ["The upstream does not know stream; asking again without it."]
    assert b"partial_images" not in upstream.requests[-1].body
