"""Requests made from the API's own document, valid and invalid, with and without a token."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from dev.api_server import Api, api_before
from tests.api.conftest import CogBehind
from tests.api.replicate_caller import ReplicateCaller

pytestmark = pytest.mark.slow

EXAMPLES = 25


@pytest.fixture(scope="module")
def api(cog_behind: CogBehind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    data, behind = tmp_path_factory.mktemp("api"), cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs) as running:
        yield running


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_nothing_that_the_document_allows_or_forbids_breaks_the_api(
    api: Api, mode: GenerationMode
) -> None:
    document = requests.get(f"{api.url}/openapi.json", timeout=10).json()
    schema = schemathesis.openapi.from_dict(document)
    caller = ReplicateCaller(api.url, api.token)
    seen: set[int] = set()

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            case.headers["Authorization"] = f"Bearer {caller.token}"
            answer = case.call(base_url=api.url, timeout=60)
            seen.add(answer.status_code)
            assert answer.status_code < 500, (case.path, answer.text)
            del case.headers["Authorization"]
            stranger = case.call(base_url=api.url, timeout=60)
            assert stranger.status_code in {400, 401, 404, 405}, (case.path, stranger.text)

        # Some have nothing that could be wrong.
        with suppress(Unsatisfiable):
            holds()
    assert 200 in seen
    assert seen & {400, 404, 422}
