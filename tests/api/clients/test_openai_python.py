"""openai 2.54.0 and 3.54.0 for Python."""

from textwrap import dedent

import pytest

from tests.api.clients.front import front_of
from tests.api.clients.published import Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

PRELUDE = """
import base64
from openai import OpenAI

client = OpenAI()

def kinds(answer):
    return [base64.b64decode(each.b64_json)[:4].hex() for each in answer.data]
"""
PNG, JPEG = "89504e47", "ffd8ffe0"


def test_pictures_are_generated_and_edited(
    openai_python: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = openai_python.run(
        PRELUDE
        + dedent("""
        two = client.images.generate(
            model="gpt-image-2", prompt="A fox", n=2, size="1536x1024", quality="low",
            output_format="jpeg", response_format="b64_json",
        )
        aimls = client.images.generate(model="openai/gpt-image-2", prompt="A fox")
        with open(given["pictures"][0], "rb") as one:
            edited = client.images.edit(model="gpt-image-2", prompt="At night", image=one)
        with open(given["pictures"][0], "rb") as one, open(given["pictures"][1], "rb") as other:
            both = client.images.edit(
                model="gpt-image-2", prompt="Both", image=[one, other], n=2, size="1024x1024"
            )
        tell([kinds(two), two.size, two.usage.output_tokens > 0, bool(two._request_id),
              two.model_extra["meta"]["usage"]["usd_spent"] > 0, aimls.data[0].url[:7],
              kinds(edited), kinds(both)])
        """),
        server,
        pictures=two_pictures,
    )
    assert told[:2] == [[JPEG, JPEG], "1536x1024"]
    assert told[2:6] == [True, True, True, "http://"]
    assert told[6:] == [[PNG], [PNG, PNG]]
    assert [len(request.files) for request in sandbox.requests] == [0, 0, 1, 2]


def test_a_stream_and_models(openai_python: Client, server: Server) -> None:
    told = openai_python.run(
        PRELUDE
        + dedent("""
        events = client.images.generate(
            model="gpt-image-2", prompt="A fox", stream=True, partial_images=1
        )
        told = [[event.type, len(event.b64_json) > 1000, event.usage.total_tokens > 0]
                for event in events]
        failure = ""
        try:
            list(client.images.generate(
                model="gpt-image-2", prompt="A fox [sandbox:moderation]", stream=True
            ))
        except openai.APIError as error:
            failure = error.code
        names = [model.id for model in client.models.list()]
        tell([told, failure, names, client.models.retrieve("openai/gpt-image-2").owned_by])
        """),
        server,
    )
    assert told == [
        [["image_generation.completed", True, True]],
        "moderation_blocked",
        ["gpt-image-2", "openai/gpt-image-2"],
        "openai",
    ]


def test_errors_have_classes_and_are_not_repeated(
    openai_python: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    told = openai_python.run(
        PRELUDE
        + dedent("""
        def failure(**asked):
            try:
                caller = asked.pop("caller", client)
                call = caller.images.edit if "image" in asked else caller.images.generate
                call(**{"model": "gpt-image-2", "prompt": "A fox"} | asked)
            except openai.APIStatusError as error:
                return [type(error).__name__, error.code, error.param]

        picture = open(given["pictures"][0], "rb").read()
        tell([
            failure(prompt="A fox [sandbox:moderation]"),
            failure(prompt="A fox [sandbox:502-html]"),
            failure(size="9x9"),
            failure(image=picture, mask=picture),
            failure(caller=OpenAI(api_key="sk-stranger")),
        ])
        """),
        server,
        pictures=two_pictures,
    )
    assert [each[:2] for each in told] == [
        ["BadRequestError", "moderation_blocked"],
        ["BadRequestError", None],
        ["BadRequestError", "invalid_value"],
        ["BadRequestError", "unsupported_parameter"],
        ["AuthenticationError", "invalid_api_key"],
    ]
    assert [each[2] for each in told[2:4]] == ["size", "mask"]
    assert len(sandbox.requests) == 2


def test_a_cut_connection_is_paid_for_once(
    openai_python: Client, server: Server, sandbox: Sandbox, two_pictures: list[str]
) -> None:
    with front_of(server.url) as front:
        front.posts_to_cut = 1
        told = openai_python.run(
            PRELUDE
            + dedent("""
            with open(given["pictures"][0], "rb") as one:
                prompt = "At night [sandbox:slow seconds=1]"
                tell(kinds(client.images.edit(model="gpt-image-2", prompt=prompt, image=one)))
            """),
            Server(f"http://127.0.0.1:{front.port}", server.token),
            pictures=two_pictures,
        )
        assert front.posts_to_cut == 0
    assert told == [PNG]
    assert len(sandbox.requests) == 1
