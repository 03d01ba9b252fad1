"""Who may call, and what they see."""

import socket

import pytest
import requests

from dev.servers.api import Api
from tests.api.admin import admin, token_for
from tests.api.replicate_caller import MODEL, ReplicateCaller


@pytest.fixture(scope="module")
def other(api: Api) -> ReplicateCaller:
    return ReplicateCaller(api.url, token_for(api, "other"))


def test_without_a_token_nothing_is_answered(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
        answer = requests.get(f"{api.url}/v1/predictions", headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.json() == {
            "title": "Unauthenticated",
            "detail": "You did not pass a valid authentication token",
            "status": 401,
        }


def test_the_older_scheme_works_too(api: Api) -> None:
    headers = {"Authorization": f"Token {api.token}"}

    assert requests.get(f"{api.url}/v1/account", headers=headers, timeout=60).ok


def test_the_token_is_looked_at_before_the_body_is_read(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        # The body never comes.
        head = f"POST /v1/models/{MODEL}/predictions HTTP/1.1\r\nHost: x\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def test_another_tenants_prediction_is_not_found(
    caller: ReplicateCaller, other: ReplicateCaller
) -> None:
    id = caller.created()["id"]

    assert other.get(f"predictions/{id}").status_code == 404
    assert other.post(f"predictions/{id}/cancel").status_code == 404
    assert other.get("predictions").json()["results"] == []
    assert caller.ended(id)["status"] == "succeeded"


def test_an_operator_sees_all(api: Api, caller: ReplicateCaller) -> None:
    id = caller.created()["id"]
    operator = ReplicateCaller(api.url, token_for(api, "chief", "--operator"))

    assert operator.ended(id)["status"] == "succeeded"
    assert operator.get("predictions").json()["results"][0]["id"] == id


def test_each_tenant_has_a_webhook_secret_of_its_own(
    caller: ReplicateCaller, other: ReplicateCaller
) -> None:
    secrets = {each.get("webhooks/default/secret").json()["key"] for each in (caller, other)}

    assert len(secrets) == 2


def test_a_revoked_token_is_good_for_nothing(api: Api) -> None:
    token = token_for(api, "short")
    caller = ReplicateCaller(api.url, token)
    assert caller.get("account").ok

    assert "Revoked" in admin(api, "token", "revoke", says=token)
    assert caller.get("account").status_code == 401


@pytest.mark.one_machine
def test_the_token_file_is_readable_by_its_owner_alone(api: Api) -> None:
    for name in ("token", "encryption.key"):
        assert (api.data / name).stat().st_mode & 0o777 == 0o600


def test_a_body_that_is_too_large_or_compressed_is_refused(caller: ReplicateCaller) -> None:
    url = f"{caller.url}/v1/models/{MODEL}/predictions"
    compressed = caller.session.post(
        url, data=b"x", headers={"Content-Encoding": "gzip"}, timeout=10
    )
    assert compressed.status_code == 415

    host, port = caller.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /v1/models/{MODEL}/predictions HTTP/1.1\r\nHost: x\r\n"
        head += f"Authorization: Bearer {caller.token}\r\nContent-Length: 100000001\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.one_machine
def test_a_second_api_on_the_same_data_does_not_start(api: Api) -> None:
    second = Api(api.data, api.cog_url, 0, api.outputs)
    server = second.start(until_ready=False)

    assert server.process.wait(20) != 0
    assert "Another API runs" in server.log
    assert "Traceback" not in server.log
    second.stop()
