"""Requests made from the API's own OpenAPI document, valid and invalid, of all who may call."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.replicate_caller import MODEL, ReplicateCaller
from tests.support.cog_client import picture

VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SOME = settings(database=None, max_examples=12, suppress_health_check=list(HealthCheck))
HANGS_AFTER = 70  # seconds; a wait for a prediction's end is answered after 55
DOCUMENTED = {200, 201, 204, 400, 404, 405, 413, 415, 422, 429}


@dataclass
class Theirs:
    """What one tenant has, for another to ask for."""

    caller: ReplicateCaller
    stranger: ReplicateCaller
    ids: dict[str, str] = field(default_factory=dict)
    """By the name of the parameter in paths."""


@pytest.fixture(scope="module")
def theirs(api: Api) -> Theirs:
    caller = ReplicateCaller(api.url, api.token)
    stranger = ReplicateCaller(api.url, token_for(api, "stranger"))
    file = caller.session.post(
        f"{api.url}/v1/files", files={"content": ("a.png", picture(), "image/png")}, timeout=20
    )
    prediction = caller.created()
    caller.ended(prediction["id"])
    ids = {"prediction_id": prediction["id"], "file_id": file.json()["id"]}
    return Theirs(caller, stranger, ids)


@pytest.fixture(scope="module")
def document(api: Api) -> Any:
    return schemathesis.openapi.from_url(f"{api.url}/openapi.json")


def operations(document: Any) -> list[Any]:
    return [operation.ok() for operation in document.get_all_operations()]


@pytest.mark.long
@pytest.mark.parametrize("sort", [VALID, INVALID])
def test_no_request_is_a_surprise(document: Any, theirs: Theirs, sort: GenerationMode) -> None:
    seen = set()
    for operation in operations(document):

        @SOME
        @given(operation.as_strategy(generation_mode=sort))
        def ask(case: Any) -> None:
            answer = case.call(
                headers=_without_token(case) | dict(theirs.caller.session.headers),
                timeout=HANGS_AFTER,
            )
            seen.add(answer.status_code)
            assert answer.status_code in DOCUMENTED, (case.method, case.path, answer.text)
            if answer.status_code >= 400:
                assert answer.json()["status"] == answer.status_code

        try:
            ask()
        except Unsatisfiable:
            assert sort is INVALID  # there is no wrong way to ask for what takes nothing
    assert 404 in seen


@pytest.mark.long
def test_without_a_token_every_operation_is_refused(document: Any, theirs: Theirs) -> None:
    for operation in operations(document):
        if operation.path.endswith("/download"):
            continue  # its address is the permission

        @SOME
        @given(operation.as_strategy(generation_mode=VALID))
        def ask(case: Any) -> None:
            answer = case.call(headers=_without_token(case), timeout=HANGS_AFTER)
            assert answer.status_code == 401, (case.method, case.path)

        ask()


@pytest.mark.long
def test_another_tenants_ids_are_not_found(document: Any, theirs: Theirs) -> None:
    asked = 0
    for operation in operations(document):
        names = set(re.findall(r"{(\w+)}", operation.path)) & theirs.ids.keys()
        if not names:
            continue
        (name,) = names
        path = operation.path.replace(f"{{{name}}}", theirs.ids[name])
        for caller, expected in ((theirs.stranger, 404), (theirs.caller, None)):
            method = operation.method.upper()
            if expected is None and (method == "DELETE" or path.endswith("/download")):
                continue
            answer = caller.session.request(method, caller.url + path, timeout=20)
            assert answer.status_code == (expected or 200), (method, path)
            asked += 1
    assert asked >= 7
    assert theirs.caller.get(f"files/{theirs.ids['file_id']}").ok


@pytest.mark.long
def test_the_api_is_as_well_as_before(api: Api, theirs: Theirs) -> None:
    assert requests.get(f"{api.url}/health/ready", timeout=60).ok
    assert theirs.caller.ended(theirs.caller.created()["id"])["status"] == "succeeded"
    assert api.server
    assert '"level": "error"' not in api.server.log
    assert "Traceback" not in api.server.log
    assert MODEL.partition("/")[0] in theirs.caller.get(f"models/{MODEL}").text


def _without_token(case: Any) -> dict[str, str]:
    given = dict(case.headers or {})
    return {name: value for name, value in given.items() if name.lower() != "authorization"}
