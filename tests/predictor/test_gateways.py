"""What gateways between a predictor and OpenAI do, and answers that only look like success."""

import json
from typing import Any

import pytest

from dev.servers import Server, predictor_server
from sandbox.gateway import QUIRKS
from tests.support.cog_client import Cog, data_uri, picture
from tests.support.loopback import Answer, stand_in
from tests.support.sandbox_client import Recorded, Sandbox


def edit(**inputs: object) -> dict[str, Any]:
    return {"input_images": [data_uri(picture())], **inputs}


# --- parameters that an older API does not know


@pytest.mark.parametrize(
    ("quirk", "parameter", "inputs"),
    [
        ("no-safety-identifier", "safety_identifier", {"user_id": "user-7"}),
        ("no-safety-identifier", "safety_identifier", edit(user_id="user-7", moderation="low")),
        ("no-moderation-on-edits", "moderation", edit(user_id="user-7", moderation="low")),
    ],
    ids=["user on generate", "user on edit", "moderation on edit"],
)
def test_a_refused_parameter_is_left_out_of_exactly_one_repeat(
    cog: Cog, sandbox: Sandbox, quirk: str, parameter: str, inputs: dict[str, Any]
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{quirk}]", **inputs)

    assert prediction.status == "succeeded"
    first, second = sandbox.requests
    assert parameter in first.arguments
    assert second.arguments == {k: v for k, v in first.arguments.items() if k != parameter}
    assert hashes(second) == hashes(first)
    assert [line for line in prediction.logs if "does not know" in line] == [
        f"The upstream does not know {parameter}; asking again without it."
    ]
    assert [entry["images_billed"] for entry in sandbox.ledger] == [0, 1]


def hashes(request: Recorded) -> list[str]:
    return [part["sha256"] for part in request.body["parts"] or [] if part["filename"]]


def test_each_refused_parameter_gets_its_own_repeat(cog: Cog, sandbox: Sandbox) -> None:
    prompt = "A lighthouse [sandbox:no-safety-identifier] [sandbox:no-moderation-on-edits]"
    prediction = cog.predict(prompt=prompt, **edit(user_id="user-7", moderation="low"))

    assert prediction.status == "succeeded"
    assert len(sandbox.requests) == 3
    assert not {"safety_identifier", "moderation"} & set(sandbox.requests[-1].arguments)


def test_moderation_refused_on_generations_is_left_out_once_and_no_more() -> None:
    """A gateway that goes on refusing what is not sent any more gets no third request."""
    message = "Unknown parameter: 'moderation'."
    error = {"message": message, "type": "gateway", "param": None, "code": None}
    image = data_uri(picture("WEBP")).partition(",")[2]
    refusal = Answer(json.dumps({"error": error}).encode(), 400)
    success = Answer(json.dumps({"data": [{"b64_json": image}]}).encode())

    with (
        stand_in() as upstream,
        predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server,
    ):
        inputs = {"moderation": "low", "user_id": "user-7"}
        upstream.answer = lambda request: refusal if b"moderation" in request.body else success
        assert Cog(server.url).predict(**inputs).status == "succeeded"
        first, second = (json.loads(request.body) for request in upstream.requests)
        assert second == {k: v for k, v in first.items() if k != "moderation"}

        upstream.requests.clear()
        upstream.answer = lambda _: refusal
        assert Cog(server.url).predict(**inputs).error.startswith("RequestRejected: ")
        assert len(upstream.requests) == 2


def test_another_unknown_parameter_is_an_error(cog: Cog, sandbox: Sandbox) -> None:
    prediction = cog.predict(prompt="A lighthouse [sandbox:unknown-parameter]")

    assert prediction.error.startswith("RequestRejected: ")
    assert "'quality'" in prediction.error
    assert len(sandbox.requests) == 1


# --- answers in other words


@pytest.mark.parametrize(
    "quirk", ["escapes-slashes", "keep-alive", "no-created", "wraps-base64", "says-jpg", "no-usage"]
)
@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_an_answer_in_other_words_gives_the_same_files(
    cog: Cog, quirk: str, output_format: str
) -> None:
    inputs = {"number_of_images": 2, "output_format": output_format}
    prompt = f"A lighthouse at dusk [sandbox:{quirk}] [sandbox:slow seconds=0.2]"

    prediction = cog.predict(prompt=prompt, **inputs)

    assert prediction.files == cog.predict(**inputs).files
    assert not [line for line in prediction.logs if "unusable" in line or "converted" in line]


def test_a_gateway_with_every_quirk_makes_an_edit(cog: Cog) -> None:
    prompt = "A lighthouse " + "".join(f"[sandbox:{quirk}]" for quirk in QUIRKS)
    images = [data_uri(picture(kind), f"image/{kind.lower()}") for kind in ("PNG", "JPEG", "WEBP")]

    prediction = cog.predict(
        prompt=prompt,
        input_images=images,
        number_of_images=3,
        aspect_ratio="3:2",
        output_format="jpeg",
        moderation="low",
        user_id="user-7",
    )

    assert [image.format for image in prediction.images] == ["JPEG"] * 3


def test_without_usage_one_line_says_so_and_the_counts_are_left_out(cog: Cog) -> None:
    prediction = cog.predict(prompt="A lighthouse [sandbox:no-usage]")

    assert [line for line in prediction.logs if "token count" in line] == [
        "The upstream did not send: "
        "Input text token count, Input image token count, Output token count"
    ]
    assert set(prediction.metrics) == {"generate_time", "image_output_count", "predict_time"}


def test_usage_without_details_gives_the_counts_that_are_there(cog: Cog) -> None:
    prediction = cog.predict(prompt="A lighthouse [sandbox:no-usage-details]")

    assert [line for line in prediction.logs if "token count" in line] == [
        "Output token count: 196",
        "The upstream did not send: Input text token count, Input image token count",
    ]
    assert prediction.metrics["token_input_count"] > 0
    assert prediction.metrics["output_token_count"] == 196
    assert not {"input_text_token_count", "input_image_token_count", "cost_usd"} & set(
        prediction.metrics
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("key-rejected", "KeyRejected"),
        ("model-not-allowed", "NoModelAccess"),
        ("organization-not-verified", "OrganizationNotVerified"),
        ("quota", "QuotaExceeded"),
        ("hard-limit", "QuotaExceeded"),
        ("moderation", "ModerationBlocked"),
        ("moderation-output", "ModerationBlocked"),
        ("transparent-unsupported", "UnsupportedByModel"),
        ("invalid-image", "RequestRejected"),
        ("rate-limit retry-after=9999", "RateLimited"),
    ],
)
def test_errors_with_another_type_and_an_appended_id_are_told_by_their_code(
    cog: Cog, fault: str, error: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:rewrites-errors] [sandbox:{fault}]")
    assert prediction.error.startswith(f"{error}: ")


def test_a_rate_limit_in_other_words_is_waited_for(cog: Cog, sandbox: Sandbox) -> None:
    prompt = "A lighthouse [sandbox:rewrites-errors] [sandbox:rate-limit retry-after=0.1 times=1]"
    assert cog.predict(prompt=prompt).status == "succeeded"
    assert len(sandbox.ledger) == 2


def test_a_parameter_refused_in_other_words_is_left_out(cog: Cog, sandbox: Sandbox) -> None:
    prompt = "A lighthouse [sandbox:rewrites-errors] [sandbox:no-safety-identifier]"
    assert cog.predict(prompt=prompt, user_id="user-7").status == "succeeded"
    assert len(sandbox.requests) == 2


# --- false successes


@pytest.mark.parametrize(
    ("fault", "lost", "problem"),
    [
        ("corrupt-base64 image=3", 3, "has no readable data"),
        ("b64-null image=10", 10, "has no readable data"),
        ("truncated-image image=1", 1, "is damaged"),
        ("fewer-images", 10, "is missing"),
    ],
)
def test_the_good_images_of_an_answer_are_returned_and_the_other_is_named(
    cog: Cog, sandbox: Sandbox, ten: list[bytes], fault: str, lost: int, problem: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{fault}]", number_of_images=10)

    assert prediction.files == ten[: lost - 1] + ten[lost:]
    assert f"1 of 10 images were unusable: image {lost} {problem}" in prediction.logs
    assert "Generated 9 images" in prediction.logs
    assert prediction.metrics["image_output_count"] == 9
    assert len(sandbox.ledger) == 1


@pytest.fixture(scope="module")
def ten(predictor_process: Server) -> list[bytes]:
    """The images that the sandbox draws for this prompt."""
    return Cog(predictor_process.url).predict(prompt="A lighthouse", number_of_images=10).files


@pytest.mark.parametrize("fault", ["truncated-json", "truncated-body", "reset-in-body"])
def test_what_arrived_before_an_answer_broke_off_is_returned(
    cog: Cog, sandbox: Sandbox, ten: list[bytes], fault: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{fault}]", number_of_images=10)

    kept = len(prediction.images)
    assert 1 <= kept < 10
    assert prediction.files == ten[:kept]
    missing = [f"image {n} is missing because the answer broke off" for n in range(kept + 1, 11)]
    line = f"{10 - kept} of 10 images were unusable: {'; '.join(missing)}"
    assert line in prediction.logs
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html", "AnswerNotUsable"),
        ("error-200", "AnswerNotUsable"),
        ("data-null", "AnswerNotUsable"),
        ("data-empty", "AnswerNotUsable"),
        ("corrupt-base64-all", "AnswerNotUsable"),
        ("truncated-json", "AnswerNotUsable"),
        ("truncated-body", "ConnectionLost"),
        ("reset-in-body", "ConnectionLost"),
        ("fewer-images", "AnswerNotUsable"),
        ("b64-null", "AnswerNotUsable"),
        ("truncated-image", "AnswerNotUsable"),
    ],
)
def test_a_false_success_without_any_image_is_an_error_and_not_repeated(
    cog: Cog, sandbox: Sandbox, fault: str, error: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{fault}]")

    assert prediction.status == "failed"
    assert prediction.error.startswith(f"{error}: ")
    assert "it may have been billed" in prediction.error
    assert len(sandbox.ledger) == 1


def test_an_error_behind_a_success_status_is_repeated_to_the_caller(cog: Cog) -> None:
    error = cog.predict(prompt="A lighthouse [sandbox:error-200]").error
    assert "an error instead of images (Image generation failed)" in error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b'{"data":' + b"[" * 100_000), "AnswerNotUsable"),
        (Answer(b'{"data":[{"url":"' + b"1" * 5_000 + b'"}]}'), "AnswerNotUsable"),
        (Answer(b'{"error":' + b"[" * 100_000, 400), "RequestRejected"),
        (
            Answer(b'{"error":{"message":' + b"[" * 900 + b"]" * 900 + b',"code":{}}}', 400),
            "RequestRejected",
        ),
        (Answer(b'{"error":{"message":["a"],"param":{"a":1}}}', 200), "AnswerNotUsable"),
    ],
    ids=["deep", "long number", "deep error", "deep message", "no text"],
)
def test_json_that_no_api_would_send_is_an_ordinary_error(answer: Answer, error: str) -> None:
    with (
        stand_in() as upstream,
        predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server,
    ):
        upstream.answer = lambda _: answer
        prediction = Cog(server.url).predict()

    assert prediction.error.startswith(f"{error}: ")
