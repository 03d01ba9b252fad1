"""Who speaks which dialect: each path that two could own, and what tells them apart."""

import pytest
from starlette.types import Scope

from api.dialects.routing import Dialect, spoken

KEY = {"x-api-key": "k"}
TOKEN = {"authorization": "Bearer t"}

OWNERS = [
    ("POST", "/v1/predictions", TOKEN, Dialect.REPLICATE),
    ("POST", "/v1/predictions", KEY, Dialect.CORETODAY),
    ("POST", "/v1/predictions", KEY | TOKEN, Dialect.REPLICATE),
    ("POST", "/v1/predictions", {}, Dialect.REPLICATE),
    ("GET", "/v1/predictions", KEY, Dialect.CORETODAY),
    ("GET", "/v1/predictions/abc", TOKEN, Dialect.REPLICATE),
    ("GET", "/v1/predictions/abc", KEY, Dialect.CORETODAY),
    ("DELETE", "/v1/predictions/abc", KEY, Dialect.CORETODAY),
    ("POST", "/v1/predictions/abc/cancel", KEY, Dialect.REPLICATE),
    ("POST", "/v1/models/openai/gpt-image-2/predictions", KEY, Dialect.REPLICATE),
    ("GET", "/v1/models", TOKEN, Dialect.REPLICATE),
    ("QUERY", "/v1/models", TOKEN, Dialect.REPLICATE),
    ("GET", "/v1/models/gpt-image-2", TOKEN, Dialect.OPENAI),
    ("GET", "/v1/models/openai/gpt-image-2", TOKEN, Dialect.REPLICATE),
    ("GET", "/v1/models/openai%2Fgpt-image-2", TOKEN, Dialect.OPENAI),
    ("GET", "/v1/models/openai/gpt-image-2/versions", TOKEN, Dialect.REPLICATE),
    ("GET", "/models", {}, Dialect.OPENAI),
    ("GET", "/api/v1/models", {}, Dialect.OPENAI),
    ("GET", "/model/openai/gpt-image-2", {}, Dialect.OPENAI),
    ("POST", "/v1/images/generations", TOKEN, Dialect.OPENAI),
    ("POST", "/v1/images/edits", KEY, Dialect.OPENAI),
    ("POST", "/images/edits", TOKEN, Dialect.OPENAI),
    ("GET", "/v1/files/abc", TOKEN, Dialect.REPLICATE),
    ("POST", "/v1", TOKEN, Dialect.RUNWARE),
    ("POST", "/", TOKEN, Dialect.RUNWARE),
    ("GET", "/v1", TOKEN, Dialect.REPLICATE),
    ("GET", "/", {}, Dialect.REPLICATE),
    ("GET", "/health/live", {}, Dialect.REPLICATE),
    ("websocket", "/v1", {}, Dialect.RUNWARE),
    ("websocket", "/", {}, Dialect.RUNWARE),
]


def scope(method: str, path: str, headers: dict[str, str]) -> Scope:
    return {
        "type": "websocket" if method == "websocket" else "http",
        "method": method,
        "path": path.replace("%2F", "/"),
        "raw_path": path.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "owner"),
    OWNERS,
    ids=[" ".join([method, path, *headers]) for method, path, headers, _ in OWNERS],
)
def test_a_request_speaks_the_dialect_of_its_path_and_headers(
    method: str, path: str, headers: dict[str, str], owner: Dialect
) -> None:
    assert spoken(scope(method, path, headers)) is owner
