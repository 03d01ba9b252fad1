"""Requests made from the running server's own schema, valid and invalid: no surprise in any."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from dev.servers import predictor_server, sandbox_server
from gpt_image import errors
from tests.support.cog_client import Prediction, data_uri, picture
from tests.support.loopback import nobody

pytestmark = pytest.mark.long

VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# Method and path, requests of which sort, and how many.
REQUESTS = [
    ("POST /predictions", VALID, 150),
    ("POST /predictions", INVALID, 100),
    ("POST /predictions/{prediction_id}/cancel", VALID, 20),
    ("GET /health-check", VALID, 1),
    ("GET /", VALID, 1),
]
HANGS_AFTER = 30  # seconds

# What Cog itself answers where it cannot make inputs of a request.
COGS_OWN = ("Input validation error: ", "Prediction failed: Input validation error: ")


@dataclass
class Seen:
    """The server, and what it answered so far."""

    url: str
    outputs: Path
    temporary: Path
    statuses: set[int] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    succeeded: int = 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A server whose only way out leads to the sandbox, with a temporary directory of its own."""
    temporary = tmp_path_factory.mktemp("temporary")
    outputs = tmp_path_factory.mktemp("outputs")
    with nobody() as nowhere, sandbox_server(SANDBOX_PRERENDERED="true") as sandbox:
        environment = {
            "OPENAI_PROXY_URL": sandbox.url,
            "OPENAI_BASE_URL": sandbox.url,
            "OPENAI_DEADLINE_SECONDS": "10",
            "OUTPUT_DIRECTORY": str(outputs),
            "TMPDIR": str(temporary),
            "HTTP_PROXY": nowhere,
            "HTTPS_PROXY": nowhere,
            "NO_PROXY": "127.0.0.1",
        }
        with predictor_server(**environment) as server:
            yield Seen(server.url, outputs, temporary)


def _images() -> st.SearchStrategy[str]:
    """In place of URLs to hosts that do not exist: files of all sorts, and what is no URL."""
    files = [picture(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    damaged = st.builds(lambda file, cut: file[:cut], st.sampled_from(files), st.integers(0, 300))
    return st.one_of(
        st.sampled_from(files).map(data_uri),
        damaged.map(data_uri),
        st.binary(max_size=50).map(data_uri),
        st.sampled_from(["", "data:", "/etc/hostname", "file:///etc/hostname", "HTTP://[::1"]),
        st.text(max_size=20),
    )


schemathesis.openapi.format("uri", _images())


@pytest.mark.parametrize(("operation", "sort", "count"), REQUESTS)
def test_no_request_gets_a_surprising_answer(
    seen: Seen, operation: str, sort: GenerationMode, count: int
) -> None:
    schema = schemathesis.openapi.from_url(f"{seen.url}/openapi.json")
    method, path = operation.split()

    @settings(max_examples=count, database=None)
    @given(schema[path][method].as_strategy(generation_mode=sort))
    def ask(case: Any) -> None:
        if isinstance(case.body, dict):
            case.body.pop("id", None)  # Cog 0.23.1 makes directories of it, and loses its slot
        response = case.call(timeout=HANGS_AFTER)
        seen.statuses.add(response.status_code)
        assert response.status_code < 500
        if path == "/predictions" and response.status_code == 200:
            note(Prediction(response.json()), seen)

    ask()


def note(prediction: Prediction, seen: Seen) -> None:
    if prediction.status == "succeeded":
        seen.succeeded += 1
        for image in prediction.images:
            image.load()
        return
    assert prediction.status == "failed"
    if str(prediction.body["error"]).startswith(COGS_OWN):
        return
    name, _, sentence = prediction.error.partition(": ")
    kind = getattr(errors, name, None)
    assert isinstance(kind, type), prediction.error
    assert issubclass(kind, errors.GptImageError)
    assert kind is not errors.UnexpectedFailure, prediction.error
    assert re.fullmatch(r"\S.*\.", sentence)
    seen.errors.add(name)


def test_afterwards_there_is_nothing_but_finished_outputs(seen: Seen) -> None:
    assert seen.succeeded
    assert "InvalidInput" in seen.errors
    assert {200, 422} <= seen.statuses

    directories = list(seen.outputs.iterdir())
    assert len(directories) == seen.succeeded
    for directory in directories:
        files = list(directory.iterdir())
        assert files
        assert all(file.name.startswith(f"{directory.name}-") for file in files)
    # The lock by which the stop hook sees that something runs lives as long as the server.
    left = [file.name for file in seen.temporary.rglob("*") if file.suffix != ".in-flight"]
    assert left == []


def test_the_server_is_as_well_as_before(seen: Seen) -> None:
    health = requests.get(f"{seen.url}/health-check", timeout=HANGS_AFTER).json()
    assert health["status"] == "READY"
